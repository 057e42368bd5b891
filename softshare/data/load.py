"""A task set by the name of its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from glob import has_magic
from importlib import import_module
from pathlib import Path
from typing import Any

from softshare.data import named
from softshare.data.image_folder import (
    ImageReading,
    holds_images,
    image_folder,
    image_table,
)
from softshare.data.image_layout import LABELS
from softshare.data.named import NamedSource, named_source
from softshare.data.names import near
from softshare.data.public import PublicSet
from softshare.data.several_files import files_of, holds_tables
from softshare.data.table import column_names, read_table
from softshare.data.table_file import check_file, is_table
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

OF_LABELS = ("task", "target", "kinds", "split", "group")
"""Options of a table that its labels have where it stands in a folder of images."""


def load(
    source: str | Path,
    *,
    task: str | Sequence[str] | None = None,
    target: str | Sequence[str] = (),
    kinds: Mapping[str, Kind] | Kind | None = None,
    drop: Sequence[str] = (),
    split: str | None = None,
    group: str | None = None,
    n_tasks: int | None = None,
    image_size: int | None = None,
    skip_broken: bool = False,
    sheet: str | None = None,
    **of_table: Any,
) -> TaskSet:
    """The tasks of a data set that has a name, of a table, or of a folder of images.

    A folder that has tables directly inside, and no images, is one table
    (:func:`softshare.data.table.read_table`). One of images is laid out as ``TASK/CLASS/*.png``
    (:func:`softshare.data.image_folder.image_folder`);
    with a ``target`` its ``labels.csv`` names images in the column ``file``
    (:func:`softshare.data.image_folder.image_table`).

    Args:
        source: the name of a data set (:mod:`softshare.data.named`), a file or a folder.
        task: see :func:`softshare.data.table.read_table`, as for all that follow; they go with a
            file.
        target: the column or columns to predict.
        kinds: the kind of the targets.
        drop: columns to leave out.
        split: the column with the given part of each row.
        group: the column whose equal values stay in one part.
        n_tasks: take the first so many tasks only; also of a data set with a name.
        image_size: height and width to which the images of a folder are resized.
        skip_broken: leave broken images of a folder out, and note which.
        sheet: of a workbook.
        of_table: how to read a table: ``columns``, ``positive``, ``na``, ``decimal``, ``sep`` and
            ``encoding`` of :func:`softshare.data.table.read_table`.

    Raises:
        FileNotFoundError: there is no such file, or the data folder lacks files of the set.
        ValueError: the name is unknown, an option does not go with it, or the table does not fit.
    """
    columns = {
        "task": task,
        "target": target,
        "kinds": kinds,
        "drop": drop,
        "split": split,
        "group": group,
        "sheet": sheet,
        **of_table,
    }
    given = {name: value for name, value in columns.items() if value}
    known = named_source(source)
    of_images = image_size is not None or skip_broken
    is_folder = known is None and Path(source).is_dir()
    is_folder = is_folder and (of_images or not _is_folder_of_tables(Path(source)))
    if not is_folder:
        _refuse_image_options(source, image_size, skip_broken)
    if known is not None:
        tasks = _named(known, given)
    elif is_folder:
        reading = ImageReading(
            size=image_size,
            decode_first=True,
            skip_broken=skip_broken,
        )
        tasks = _images(
            Path(source),
            reading,
            columns,
            given,
        )
    else:
        _check_table(source)
        if not target:
            form = {name: of_table.get(name) for name in ("sep", "encoding")}
            raise _without_target(source, task, column_names(source, sheet=sheet, **form))
        tasks = read_table(
            source,
            target=target,
            task=task,
            kinds=kinds,
            drop=drop,
            split=split,
            group=group,
            sheet=sheet,
            **of_table,
        )
    return _first(tasks, n_tasks)


def _is_folder_of_tables(folder: Path) -> bool:
    return holds_tables(folder) and not (folder / LABELS).exists() and not holds_images(folder)


def _refuse_image_options(
    source: str | Path,
    image_size: int | None,
    skip_broken: bool,
) -> None:
    wrong = []
    if image_size is not None:
        wrong.append("image_size")
    if skip_broken:
        wrong.append("skip_broken")
    if wrong:
        refusal = f"goes with a folder of images, {str(source)!r} is none"
        raise ArgumentError(*[(name, refusal) for name in wrong])


def _named(source: NamedSource, given: Mapping[str, Any]) -> TaskSet:
    if given:
        refusal = f"goes with a table, {source.name!r} is a data set with tasks of its own"
        raise ArgumentError(*[(name, refusal) for name in given])
    tasks: TaskSet = getattr(import_module(source.module), source.function)()
    return tasks


def _check_table(source: str | Path) -> None:
    """Refuse what is no file of a table."""
    if not (Path(source).exists() or has_magic(str(source)) or is_table(Path(source))):
        names = [known.name for known in named.SOURCES]
        raise ValueError(
            f"no data set, file or folder is called {str(source)!r}; "
            f"{near(str(source), names, most=len(names))}"
        )
    for path in files_of(source):
        check_file(path)


def _without_target(
    source: str | Path,
    task: str | Sequence[str] | None,
    columns: Sequence[str],
) -> ArgumentError:
    """What to say of a table of which no column is to be predicted."""
    wanted = f"{source} is a table, name the column or columns to predict; {near('', columns)}"
    problems = [("target", wanted)]
    if not task:
        hint = "name the column that says which task a row belongs to, if there is one"
        problems.append(("task", hint))
    return ArgumentError(*problems)


def _images(
    folder: Path,
    reading: ImageReading,
    columns: Mapping[str, Any],
    given: Mapping[str, Any],
) -> TaskSet:
    """A folder's tasks by its folders, or by its table of labels where columns of it are named."""
    if not given:
        return image_folder(folder, reading)
    read = f"of the folder {folder} only the named columns of its {LABELS} are read"
    others = [name for name in given if name not in OF_LABELS]
    if others:
        raise ArgumentError(*[(name, f"goes with a table; {read}") for name in others])
    if not columns["target"]:
        remedy = f"name the column of its {LABELS} to predict"
        raise ArgumentError(("target", f"{folder} is a folder of images, {remedy}"))
    used = {name: columns[name] for name in OF_LABELS}
    return image_table(folder / LABELS, reading=reading, **used)


def public_sets() -> dict[str, PublicSet]:
    """Every public data set by its name, in the order of the list."""
    sets: dict[str, PublicSet] = {}
    for source in named.SOURCES:
        if source.public:
            public = import_module(source.module).SET
            sets.setdefault(public.name, public)
    return sets


def public_set(name: str) -> PublicSet:
    """A public data set by its name.

    Raises:
        ValueError: there is none of this name.
    """
    sets = public_sets()
    if name not in sets:
        raise ValueError(f"no public data set is called {name!r}; {near(name, sets)}")
    return sets[name]


def _first(tasks: TaskSet, n_tasks: int | None) -> TaskSet:
    if n_tasks is None:
        return tasks
    if not 1 <= n_tasks <= len(tasks):
        counts = f"there are {len(tasks)}, cannot take the first {n_tasks}"
        raise ArgumentError(("n_tasks", counts))
    return tasks.keep_tasks(range(n_tasks))
