"""CIFAR-10: small photographs of ten classes, 50,000 to train on and 10,000 to test (Krizhevsky
2009).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from softshare.data.archives import naming, read_content, read_tar
from softshare.data.cache import derived
from softshare.data.images import pixels_of
from softshare.data.mapped import MappedArray
from softshare.data.pickled import unpickled
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.columns import offsets_of
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
N_TRAIN, N_TEST = 50_000, 10_000
TASKS: Mapping[str, tuple[str, ...]] = {
    "things": ("airplane", "automobile", "ship", "truck"),
    "four-legged": ("cat", "deer", "dog", "horse"),
    "bird or frog": ("bird", "frog"),
}

SET = PublicSet(
    name="cifar10",
    title="small colour photographs of ten classes, 60,000 images",
    paper="Krizhevsky 2009",
    licence="",
    home="https://www.cs.toronto.edu/~kriz/cifar.html",
    files=(
        PublicFile(
            "cifar10/cifar-10-python.tar.gz",
            170_498_071,
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "md5:c58f30108f718f92721af3b95e74349a",
        ),
    ),
    instead=(
        ("cifar10/cifar-10-batches-py/data_batch_?", "cifar10/cifar-10-batches-py/test_batch"),
        ("cifar10/index.csv.gz", "cifar10/test.webp", "cifar10/train_[12].webp"),
    ),
)

BATCHES: Mapping[str, tuple[str, ...]] = {
    "data_batch_1": (
        "c99cafc152244af753f735de768cd75f",
        "5ea7870254dd2f1819fc2efa5c2c637f7f7c19593678d92eb044ac3b5682a16c",
    ),
    "data_batch_2": (
        "d4bba439e000b95fd0a9bffe97cbabec",
        "7eeb5b1327fe28e2fc81c7d2592e62f2d1a35150d1fd6a133e6f7fd36f4ffba1",
    ),
    "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751",),
    "data_batch_4": ("634d18415352ddfa80567beed471001a",),
    "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb",),
    "test_batch": (
        "40351d587109b95175f43aff81a1287e",
        "7b4a1e9fd083b83e3561780ceff82ef86f695161da57611b61041ad2c2fe5078",
    ),
}
"""The md5 of each published batch, and the sha256 of the images and labels of that built of a sheet
(its file may differ).
"""

_BATCH = re.compile("|".join(BATCHES))
_MOST_OF_ALL = 1 << 28
_TILE, _TILES = 32, 100
"""Pixels of an image's side, and images a side of a sheet."""

_INDEX = PublicFile(
    "cifar10/index.csv",
    223_030,
    content="sha256:f0c164894aa66b12fe656cb1156d976491fa5cc0ef81930a8568d7a449aaab6e",
)
_SHEETS = {
    name: PublicFile(f"cifar10/{name}.webp", 17_100_000, content=f"sha256:{sha256}")
    for name, sha256 in {
        "train_1": "257aa04ca940ac341905558007d1263528c81ff91f604330587475d204cc11c2",
        "train_2": "f0004d93987abfeff089ed4d3776a2a3328feaac8454bba0ea45330963a057ae",
        "test": "760471eeb39c7b202af4a2e915e63a772b33fc4b62f514ea85ac9470cd5bf024",
    }.items()
}
"""A part of the set, 20,000 training images and all test images, without loss in sheets of 10,000.
"""


@dataclass(frozen=True)
class Batch:
    """Images of one part of the set.

    Shape:
        images ``(N, 3, 32, 32)`` bytes, labels ``(N,)`` from 0 to 9.
    """

    part: str
    images: np.ndarray
    labels: np.ndarray


def load(views: Sequence[str] = ("rgb", "rgb", "rgb")) -> TaskSet:
    """Three tasks: to tell apart four kinds of things, four animals, and birds from frogs; the
    10,000 are the test set.

    Args:
        views: how each of the three sees its images: ``"rgb"``, ``"gray"``, or in colour at fewer
            pixels, height × width, such as ``"16x32"`` (each the mean of a block). Tasks of one
            view share a source.

    Raises:
        FileNotFoundError: the files are not in the data folder.
        ValueError: a view is unknown, or a file is damaged.
    """
    if len(views) != len(TASKS):
        raise ValueError(
            f"views: give one for each of the {len(TASKS)} tasks {', '.join(TASKS)}, got "
            f"{len(views)}"
        )
    forms = {view: form_of(view) for view in views}
    SET.require()
    paths, read = _found()
    rows = derived("cifar10-1", paths, lambda folder: _write(read(), folder))
    labels, parts = np.load(rows / "labels.npy"), np.load(rows / "parts.npy")
    images = MappedArray(rows / "images.npy")
    sources = tuple(_seen(images, form, view) for view, form in forms.items())
    n_train = int((parts == "train").sum())
    members = [
        np.flatnonzero(np.isin(labels, [CLASSES.index(name) for name in classes]))
        for classes in TASKS.values()
    ]
    return TaskSet(
        tuple(_task(name, classes) for name, classes in TASKS.items()),
        sources,
        np.array([list(forms).index(view) for view in views]),
        offsets_of([len(own) for own in members]),
        np.concatenate(members),
        np.concatenate(
            [
                _numbers(labels[own], classes)
                for own, classes in zip(members, TASKS.values(), strict=True)
            ]
        ),
        parts=(parts.astype(object),) * len(sources),
        notes=()
        if n_train == N_TRAIN
        else (f"{n_train:,} of the {N_TRAIN:,} training images are there",),
    )


def _task(name: str, classes: tuple[str, ...]) -> Task:
    return (
        Task(
            name,
            "binary",
            1,
            classes,
        )
        if len(classes) == 2
        else Task(
            name,
            "multiclass",
            len(classes),
            classes,
        )
    )


def _numbers(labels: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """The place of each label among the classes of a task."""
    return np.searchsorted([CLASSES.index(name) for name in classes], labels).astype(np.float64)


def form_of(view: str) -> tuple[int, int, int]:
    """What a view makes of an image: its channels, and the height and width of the blocks that
    become one pixel.

    Args:
        view: see :func:`load`.

    Raises:
        ValueError: there is no such view.
    """
    if view in ("rgb", "gray"):
        return (3 if view == "rgb" else 1), 1, 1
    sizes = re.fullmatch(r"(\d{1,2})x(\d{1,2})", view)
    if not sizes or any(not int(size) or _TILE % int(size) for size in sizes.groups()):
        raise ValueError(
            f"views: {view!r} is none of rgb, gray and height x width such as 16x32, both "
            f"dividing {_TILE}"
        )
    return 3, _TILE // int(sizes[1]), _TILE // int(sizes[2])


def _seen(
    images: MappedArray,
    form: tuple[int, int, int],
    view: str,
) -> MappedArray:
    """All images in one view."""
    if form == (3, 1, 1):
        return images

    def build(folder: Path) -> None:
        chunks = [
            transformed(images[begin : begin + 10_000], form)
            for begin in range(0, len(images), 10_000)
        ]
        np.save(folder / "images.npy", np.concatenate(chunks))

    return MappedArray(derived(f"cifar10-{view}-1", [images.path], build) / "images.npy")


def transformed(images: np.ndarray, form: tuple[int, int, int]) -> np.ndarray:
    """Images in another form: blocks of pixels as their mean, colours as their luma.

    Args:
        images: bytes.
        form: channels, and the height and width of the blocks.

    Shape:
        ``(N, 3, 32, 32)`` → ``(N, channels, 32 / height, 32 / width)``.
    """
    channels, height, width = form
    blocks = images.reshape(
        len(images),
        3,
        _TILE // height,
        height,
        _TILE // width,
        width,
    )
    means = blocks.mean(axis=(3, 5), dtype=np.float32)
    if channels == 1:
        means = np.einsum("nchw,c->nhw", means, np.array([0.299, 0.587, 0.114], np.float32))[
            :, None
        ]  # luma of ITU-R BT.601
    return np.rint(means).astype(np.uint8)


def _found() -> tuple[list[Path], Callable[[], Iterator[Batch]]]:
    """The files of the layout that is there, and what reads their batches."""
    archive = SET.files[0].place
    if archive.is_file():
        return [archive], lambda: _packed(archive)
    batches = sorted(
        path
        for path in (SET.folder / "cifar-10-batches-py").glob("*")
        if _BATCH.fullmatch(path.name)
    )
    if batches:
        return batches, lambda: (_batch(path) for path in batches)
    return [file.place for file in (_INDEX, *_SHEETS.values()) if file.is_there], _sheets


def _packed(archive: Path) -> Iterator[Batch]:
    SET.files[0].check()
    for name, content in read_tar(
        archive, re.compile(f"cifar-10-batches-py/(?:{_BATCH.pattern})"), most=_MOST_OF_ALL
    ):
        with naming(archive / name):
            batch = batch_of(Path(name).name, content)
        yield batch


def _batch(path: Path) -> Batch:
    with naming(path):
        content = read_content(path, most=_MOST_OF_ALL // 6)
        batch = batch_of(path.name, content)
        found = (
            hashlib.md5(content),
            hashlib.sha256(batch.images.tobytes() + batch.labels.astype(np.uint8).tobytes()),
        )
        if all(digest.hexdigest() not in BATCHES[path.name] for digest in found):
            raise ValueError(
                "it is neither the published batch nor built of the published images (md5 "
                f"{found[0].hexdigest()}); get it again"
            )
        return batch


def batch_of(name: str, content: bytes) -> Batch:
    """A batch in the public layout: a pickled dictionary of ``data`` ``(N, 3072)`` and ``labels``.

    Raises:
        ValueError: the content is not that.
    """
    entries = unpickled(content)
    images, labels = entries.get(b"data"), entries.get(b"labels")
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != np.uint8
        or images.ndim != 2
        or images.shape[1] != 3 * _TILE**2
    ):
        raise ValueError(f"'data' must be bytes of shape (N, {3 * _TILE**2})")
    if (
        not isinstance(labels, list)
        or len(labels) != len(images)
        or not all(type(label) is int and 0 <= label < len(CLASSES) for label in labels)
    ):
        raise ValueError(f"'labels' must be {len(images)} numbers from 0 to {len(CLASSES) - 1}")
    return Batch(
        "test" if name.startswith("test") else "train",
        images.reshape(
            -1,
            3,
            _TILE,
            _TILE,
        ),
        np.array(labels, dtype=np.int64),
    )


def _sheets() -> Iterator[Batch]:
    """The batches of the sheets of 100 by 100 images."""
    index = list(csv.DictReader(_INDEX.read().decode().splitlines()))
    for name, sheet in ((name, sheet) for name, sheet in _SHEETS.items() if sheet.is_there):
        with naming(sheet.place):
            grid = pixels_of(sheet.read())
            if grid.shape != (_TILES * _TILE, _TILES * _TILE, 3):
                raise ValueError(
                    f"a sheet has {_TILES} by {_TILES} images of {_TILE} by {_TILE} "
                    f"pixels, this one is {grid.shape}"
                )
        images = (
            grid.reshape(
                _TILES,
                _TILE,
                _TILES,
                _TILE,
                3,
            )
            .transpose(
                0,
                2,
                4,
                1,
                3,
            )
            .reshape(
                -1,
                3,
                _TILE,
                _TILE,
            )
        )
        labels = {
            int(row["row"]): int(row["label"]) for row in index if Path(row["file"]).stem == name
        }
        yield Batch(
            "test" if name == "test" else "train",
            images,
            np.array([labels[row] for row in range(len(images))]),
        )


def _write(batches: Iterator[Batch], folder: Path) -> None:
    """Write the images of all batches, their labels and their parts."""
    found = list(batches)
    n_test = sum(len(batch.labels) for batch in found if batch.part == "test")
    if n_test != N_TEST or len(found) < 2:
        raise ValueError(
            f"cifar10: expected {N_TEST:,} test images and some to train on, found "
            f"{n_test:,} in {len(found)} batches"
        )
    np.save(folder / "images.npy", np.concatenate([batch.images for batch in found]))
    np.save(folder / "labels.npy", np.concatenate([batch.labels for batch in found]))
    np.save(
        folder / "parts.npy",
        np.repeat([batch.part for batch in found], [len(batch.labels) for batch in found]),
    )
