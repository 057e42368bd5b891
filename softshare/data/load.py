"""A task set by the name of its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from softshare.data import (
    adience,
    built_in,
    celeba,
    cifar10,
    imageclef_da,
    mnist,
    office_caltech,
    omniglot,
    synthetic,
    uci,
)
from softshare.data.image_folder import LABELS, ImageReading, image_folder, image_table
from softshare.data.names import near
from softshare.data.public import PublicSet
from softshare.data.table import read_table
from softshare.data.table_file import SUFFIXES, check_file
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

SOURCES: Mapping[str, Callable[[], TaskSet]] = {
    "digits": built_in.digits,
    "classics": built_in.classics,
    "iris": built_in.iris,
    "wine": built_in.wine,
    "breast_cancer": built_in.breast_cancer,
    "synthetic": synthetic.load,
    "mnist": mnist.load,
    "mnist-odd-even": mnist.odd_even,
    "mnist-pairs": mnist.digit_pairs,
    "mnist-brightness": mnist.brightness,
    "omniglot": omniglot.load,
    "omniglot-groups": omniglot.groups,
    "cifar10": cifar10.load,
    "uci": uci.load,
    "office-caltech": office_caltech.load,
    "office-caltech-surf": partial(office_caltech.load, "surf"),
    "office-caltech-googlenet": partial(office_caltech.load, "googlenet"),
    "imageclef-da": imageclef_da.load,
    "celeba": celeba.load,
    "adience": adience.load,
}
"""The data sets that have a name."""

PUBLIC: Mapping[str, PublicSet] = {
    module.SET.name: module.SET
    for module in (mnist, omniglot, cifar10, uci, office_caltech, imageclef_da, celeba, adience)
}
"""Those whose files are in the data folder."""


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
) -> TaskSet:
    """The tasks of a data set that has a name, of a table, or of a folder of images.

    A folder is laid out as ``TASK/CLASS/*.png`` (:func:`softshare.data.image_folder.image_folder`);
    with a ``target`` its ``labels.csv`` names images in the column ``file``
    (:func:`softshare.data.image_folder.image_table`).

    Args:
        source: the name of a data set, a file or a folder.
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

    Raises:
        FileNotFoundError: there is no such file, or the data folder lacks files of the set.
        ValueError: the name is unknown, an option does not go with it, or the table does not fit.
    """
    options = {
        "task": task,
        "target": target,
        "kinds": kinds,
        "drop": drop,
        "split": split,
        "group": group,
    }
    given = [f"--{name.removesuffix('s')}" for name, value in options.items() if value]
    is_folder = source not in SOURCES and Path(source).is_dir()
    if (image_size is not None or skip_broken) and not is_folder:
        raise ValueError(
            f"--image-size and --skip-broken go with a folder of images, {str(source)!r} is none"
        )
    if source in SOURCES:
        if given:
            raise ValueError(
                f"{source!r} is a data set with tasks of its own; {', '.join(given)} go "
                "with a table"
            )
        return _first(SOURCES[str(source)](), n_tasks)
    if is_folder:
        return _first(
            _images(
                Path(source),
                ImageReading(size=image_size, decode_first=True, skip_broken=skip_broken),
                options,
                given,
            ),
            n_tasks,
        )
    if not Path(source).exists() and not str(source).lower().endswith(SUFFIXES):
        raise ValueError(
            f"no data set, file or folder is called {str(source)!r}; "
            f"{near(str(source), SOURCES, most=len(SOURCES))}"
        )
    check_file(Path(source))
    if not target:
        raise ValueError(
            f"{source} is a table: say what to predict with --target COLUMN …, and with "
            "--task COLUMN which column names the task"
        )
    return _first(
        read_table(
            source, target=target, task=task, kinds=kinds, drop=drop, split=split, group=group
        ),
        n_tasks,
    )


def _images(
    folder: Path, reading: ImageReading, options: Mapping[str, Any], given: Sequence[str]
) -> TaskSet:
    if not given:
        return image_folder(folder, reading)
    if options["drop"] or not options["target"]:
        raise ValueError(
            f"{folder} is a folder: --target and --task name columns of its {LABELS}, "
            "other columns are not read"
        )
    columns = {name: value for name, value in options.items() if name != "drop"}
    return image_table(folder / LABELS, reading=reading, **columns)


def public_set(name: str) -> PublicSet:
    """A public data set by its name.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in PUBLIC:
        raise ValueError(f"no public data set is called {name!r}; {near(name, PUBLIC)}")
    return PUBLIC[name]


def _first(tasks: TaskSet, n_tasks: int | None) -> TaskSet:
    if n_tasks is None:
        return tasks
    if not 1 <= n_tasks <= len(tasks):
        raise ValueError(f"tasks: there are {len(tasks)}, cannot take the first {n_tasks}")
    return tasks.keep_tasks(range(n_tasks))
