"""Tasks from images in files: by the folders that they are in, or by a table of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from softshare.data.decoded_images import DecodedImages, decoded_images
from softshare.data.image_form import ImageForm, size_of
from softshare.data.image_layout import LAYOUT, ImageLayout, layout_of
from softshare.data.image_survey import survey
from softshare.data.roles import Roles, about, groups_of
from softshare.data.table_file import read_frame
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.columns import offsets_of
from softshare.tasks.targets import encode_target
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class ImageReading:
    """How images are read.

    Args:
        size: to which images are resized, ``(height, width)`` or one number for both; when None all
            must be of one size.
        crop: when resizing, keep proportions and cut off what stands out, in place of stretching.
        grey: one channel in place of three.
        decode_first: decode all images at once, so that a broken one is known before training.
        skip_broken: leave broken images out, and note which; implies ``decode_first``.
    """

    size: int | tuple[int, int] | None = None
    crop: bool = False
    grey: bool = False
    decode_first: bool = False
    skip_broken: bool = False

    def __post_init__(self) -> None:
        sizes = self.size if isinstance(self.size, tuple) else (self.size, self.size)
        if self.size is not None and not (
            len(sizes) == 2 and all(isinstance(size, int) and 0 < size <= 8192 for size in sizes)
        ):
            rule = "must be a number of pixels or (height, width), each from 1 to 8192"
            raise ArgumentError(("size", f"{rule}, got {self.size!r}"))


def image_folder(root: str | Path, reading: ImageReading = ImageReading()) -> TaskSet:
    """Tasks from images laid out as ``root/TASK/CLASS/*.png`` (``.jpg``, ``.webp``, ``.bmp``,
    ``.tif`` or ``.gif``): every task tells its own classes apart.

    Folders called ``train``, ``val`` and ``test``, or nearly so, are given parts of a split, around
    the tasks or within them; a note says so. Hidden
    files and those of file managers are passed over. What is transparent is laid over white; where
    an image then shows nothing, transparency is a channel of its own for all. Grey images of more
    than 8 bits are scaled to 8, all alike.

    Images are decoded by processes of their own when they are first asked for, and kept as bytes in
    the cache folder from then on, where batches read them; changed files are decoded again.

    Args:
        root: the folder.
        reading: size and so on.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is laid out otherwise, a task has one class only, or images cannot be read.
    """
    root = _folder(root)
    layout = layout_of(root)
    if not layout.names and not layout.strays:
        raise ValueError(f"{root} has no images; {LAYOUT}")
    _check_layout(root, layout, reading)
    source, notes = _source(root, layout.names, reading)
    return _tasks_of(layout, source, notes)


def _tasks_of(layout: ImageLayout, source: DecodedImages, notes: Sequence[str]) -> TaskSet:
    folders = pd.DataFrame({"task": layout.tasks, "label": layout.labels}).iloc[source.kept]
    folders = folders.reset_index(drop=True)
    members = folders.groupby("task", sort=True).indices
    columns = [
        encode_target(str(task), pd.Categorical(folders["label"].iloc[rows]))
        for task, rows in members.items()
    ]
    parts = None if layout.parts is None else np.array(layout.parts, dtype=object)[source.kept]
    return TaskSet(
        tuple(task for task, _ in columns),
        (source,),
        np.zeros(len(members), dtype=np.int64),
        offsets_of([len(rows) for rows in members.values()]),
        np.concatenate(list(members.values())),
        np.concatenate([targets for _, targets in columns]),
        parts=() if parts is None else (parts,),
        notes=(
            *layout.notes,
            *_told("passed over", layout.passed_over, "that are hidden or the system's"),
            *_left_out(layout.strays, "that are no images"),
            *_left_out(layout.empty, "without images", what="folder"),
            *notes,
        ),
    )


def _check_layout(root: Path, layout: ImageLayout, reading: ImageReading) -> None:
    odd = [f"{root / name} has no place" for name in layout.strays]
    odd += [f"the folder {root / name} has no images" for name in layout.empty]
    if odd and not (reading.skip_broken and layout.names):
        raise ArgumentError(
            ("skip_broken", "leaves such files and folders out"),
            about=f"{odd[0]}: {LAYOUT}; remove it",
        )


def image_table(
    labels: str | Path | pd.DataFrame,
    root: str | Path | None = None,
    *,
    target: str | Sequence[str],
    task: str | Sequence[str] | None = None,
    file: str = "file",
    kinds: Mapping[str, Kind] | Kind | None = None,
    split: str | None = None,
    group: str | None = None,
    reading: ImageReading = ImageReading(),
) -> TaskSet:
    """Tasks from the rows of a table, each of which names an image.

    Rows of one image stay in one part of a split; so do groups that share an image. Images are
    decoded as in :func:`image_folder`, each once however many rows name it.

    Args:
        labels: the table, a file or a data frame.
        root: the images' folder; that of the table when None.
        target: the column to predict, or several, each a task.
        task: the column that names the task of each row; several name it by several factors.
        file: the column with the image's path within the folder.
        kinds: the kind of every target; inferred where not given.
        split: a column with the given part of each row.
        group: a column whose equal values stay in one part.
        reading: size and so on.

    Raises:
        FileNotFoundError: there is no such file or folder, or an image that the table names is not
            there.
        ValueError: the table does not fit, a path leads out of the folder, or images cannot be
            read.
    """
    if root is None and isinstance(labels, pd.DataFrame):
        raise ValueError("root: name the images' folder where labels is a data frame")
    frame = read_frame(labels)
    folder = _folder(root if root is not None else Path(str(labels)).parent)
    roles = Roles.given(
        kinds,
        file=file,
        target=target,
        task=task,
        split=split,
        group=group,
    )
    roles = roles.among(list(frame.columns))
    with about(labels):
        roles.check(list(frame.columns), inputs_left=False)
        image, images = pd.factorize(_named_images(frame[file], folder))
        groups = None if group is None else groups_of(frame[group])
    if len(images) < len(frame):
        units = image if groups is None else _joined(image, groups)
        roles = Roles({**roles.of, "group": (group or file,)}, roles.kinds)
        frame = frame.assign(**{group or file: units})
    source, notes = _source(folder, images.tolist(), reading)
    there = np.isin(image, source.kept)
    with about(labels):
        tasks = roles.tasks(
            frame[there].reset_index(drop=True), DecodedImages(source.folder, image[there])
        )
    return replace(tasks, notes=(*tasks.notes, *notes), row_numbers=(np.flatnonzero(there),))


def _joined(image: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """For every row a number for its group, one for groups that share an image."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = np.stack([image, image.max() + 1 + pd.factorize(groups)[0]])
    n_nodes = int(nodes.max()) + 1
    links = coo_array((np.ones(len(image)), tuple(nodes)), shape=(n_nodes, n_nodes))
    return connected_components(links, directed=False)[1][image]


def _folder(root: str | Path) -> Path:
    if not Path(root).is_dir():
        raise FileNotFoundError(f"no such folder: {root}")
    return Path(root)


def holds_images(root: Path) -> bool:
    """Whether a folder has images in folders, as :func:`image_folder` expects them."""
    return bool(layout_of(root).names)


def _named_images(column: pd.Series, folder: Path) -> np.ndarray:
    """The paths in a column, all of them to files within the folder, those of one file written
    alike.
    """
    if column.isna().any():
        raise ValueError(
            f"file: column {column.name!r} is empty in row {int(column.isna().argmax()) + 1}"
        )
    paths = [PurePosixPath(str(name)) for name in column]
    for row, path in enumerate(paths, start=1):
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"file: row {row} names {str(path)!r}; paths must lead to files within {folder}"
            )
    names = [str(path) for path in paths]
    if missing := [name for name in dict.fromkeys(names) if not (folder / name).is_file()]:
        raise FileNotFoundError(
            f"{len(missing)} image(s) named by the table are not there, the first is "
            f"{folder / missing[0]}"
        )
    return np.array(names, dtype=object)


def _source(
    root: Path,
    names: Sequence[str],
    reading: ImageReading,
) -> tuple[DecodedImages, tuple[str, ...]]:
    """The images, without the broken ones where these are to be skipped, and a note of them."""
    if reading.size is None:
        height, width = _first_size(root, names, skip_broken=reading.skip_broken)
    else:
        height, width = (
            reading.size if isinstance(reading.size, tuple) else (reading.size, reading.size)
        )
    found = survey(root, names)
    found.check()
    source = decoded_images(
        root,
        names,
        ImageForm(
            height,
            width,
            grey=reading.grey,
            resize=reading.size is not None,
            crop=reading.crop,
            alpha=found.alpha,
            bits=found.bits,
        ),
    )
    if not (reading.decode_first or reading.skip_broken):
        return source, found.notes()
    whole = source.decoded(skip_broken=reading.skip_broken)
    broken = [names[row] for row in np.setdiff1d(source.kept, whole.kept)]
    return whole, (*found.notes(), *_left_out(broken, "that cannot be read"))


def _first_size(
    root: Path,
    names: Sequence[str],
    *,
    skip_broken: bool,
) -> tuple[int, int]:
    for name in names:
        try:
            return size_of(root / name)
        except (OSError, ValueError) as error:
            if not skip_broken:
                raise ValueError(f"cannot read {root / name}: {error}") from None
    raise ValueError(f"none of the {len(names)} images in {root} can be read")


def _left_out(
    names: Sequence[str],
    why: str,
    *,
    what: str = "file",
) -> tuple[str, ...]:
    return _told("left out", names, why, what=what)


def _told(
    done: str,
    names: Sequence[str],
    why: str,
    *,
    what: str = "file",
) -> tuple[str, ...]:
    """A note of what was done with these files or folders, where there are some."""
    if not names:
        return ()
    more = ", …" if len(names) > 5 else ""
    return (f"{done} {len(names)} {what}(s) {why}: {', '.join(names[:5])}{more}",)
