"""Office-Caltech10: photographs of ten kinds of objects from four domains, each domain a task (Gong
et al. 2012).
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast
from zipfile import ZipFile, ZipInfo

import numpy as np
from scipy.io import loadmat

from softshare.data.archives import naming, open_zip, read_member
from softshare.data.cache import derived
from softshare.data.images import decode_square
from softshare.data.mapped import MappedArray, new_mapped
from softshare.data.office_caltech_files import FEATURES, IMAGES, LISTS, SET, Features
from softshare.data.public import PublicFile
from softshare.tasks.columns import offsets_of
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

__all__ = ["SET", "load"]

CLASSES = (
    "backpack",
    "bike",
    "calculator",
    "headphones",
    "keyboard",
    "laptop",
    "monitor",
    "mouse",
    "mug",
    "projector",
)
COUNTS: Mapping[str, tuple[int, ...]] = {
    "amazon": (92, 82, 94, 99, 100, 100, 99, 100, 94, 98),
    "caltech10": (151, 110, 100, 138, 85, 128, 133, 94, 87, 97),
    "dslr": (12, 21, 12, 13, 10, 24, 22, 12, 8, 23),
    "webcam": (29, 21, 31, 27, 27, 30, 43, 30, 27, 30),
}
"""Images of each class in each domain."""

PERCENTAGES = (5, 10, 20)
_MOST = 1 << 30
_IN_LISTS = {"back_pack": "backpack", "laptop_computer": "laptop"}


def load(
    inputs: Literal["images"] | Features = "images",
    *,
    percentage: int | None = None,
    size: int = 64,
) -> TaskSet:
    """Each domain a task: to tell ten kinds of objects apart.

    A training fraction (``train_fraction``) is of all examples of a class; the rest is divided
    between validation and test.

    Args:
        inputs: ``"images"``, ``"surf"`` (800 counts of visual words) or ``"googlenet"`` (1,024
            activations, without caltech10).
        percentage: 5, 10 or 20: take the published training and test images of this percentage
            instead. An image that a list repeats counts once, one that is in neither list is left
            out. With images only, as nothing says which image a row of features belongs to. At 5 %,
            dslr has one image a class to train on: nothing is left to validate, so split with a
            validation fraction of 0.
        size: height and width to which images are resized, their proportions not kept.

    Raises:
        FileNotFoundError: the files are not in the data folder.
        ValueError: an argument is wrong, or a file is damaged.
    """
    if inputs not in ("images", *FEATURES):
        raise ValueError(f"inputs: {inputs!r} is none of images, {', '.join(FEATURES)}")
    if percentage is not None and (inputs != "images" or percentage not in PERCENTAGES):
        raise ValueError(
            "percentage: the published lists are of 5, 10 and 20 % and of images, got "
            f"{percentage!r} with {inputs!r}"
        )
    if inputs == "images":
        tasks, names = _of_images(size)
        return tasks if percentage is None else _as_listed(tasks, names, percentage)
    SET.require(FEATURES[inputs].values())
    tasks = TaskSet.from_arrays(
        {domain: _features(file, COUNTS[domain]) for domain, file in FEATURES[inputs].items()},
        kinds="multiclass",
    )
    return replace(
        tasks,
        tasks=tuple(replace(task, classes=CLASSES) for task in tasks.tasks),
        train_fraction_of_all=True,
    )


def surf() -> TaskSet:
    """The domains by counts of visual words, as :func:`load` has them."""
    return load("surf")


def googlenet() -> TaskSet:
    """The domains by activations of GoogLeNet, as :func:`load` has them."""
    return load("googlenet")


def _features(file: PublicFile, counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """A domain's features ``(N, D)`` and classes ``(N,)`` from 0 to 9."""
    with naming(file.place):
        content = loadmat(
            cast(Any, io.BytesIO(file.read())), variable_names=["fts", "labels"]
        )  # the stubs know no open files
        classes = content["labels"].ravel().astype(np.int64) - 1
        if np.bincount(classes, minlength=len(counts)).tolist() != list(counts) or len(
            content["fts"]
        ) != len(classes):
            raise ValueError(f"its classes must have {', '.join(map(str, counts))} examples")
    return content["fts"].astype(np.float32), classes


def _of_images(size: int) -> tuple[TaskSet, list[str]]:
    """The tasks, and the name ``DOMAIN/CLASS/FILE`` of every row."""
    SET.require(IMAGES.values())
    folder = derived(
        f"office-caltech-{size}-1",
        [file.place for file in IMAGES.values()],
        lambda folder: _decode(folder, size),
    )
    names = (folder / "names.txt").read_text(encoding="utf-8").splitlines()
    tasks = TaskSet(
        tuple(
            Task(
                domain,
                "multiclass",
                len(CLASSES),
                CLASSES,
            )
            for domain in COUNTS
        ),
        (MappedArray(folder / "images.npy"),),
        np.zeros(len(COUNTS), dtype=np.int64),
        offsets_of([sum(counts) for counts in COUNTS.values()]),
        np.arange(len(names)),
        np.array([CLASSES.index(name.split("/")[1]) for name in names], dtype=np.float64),
        train_fraction_of_all=True,
    )
    return tasks, names


def _decode(folder: Path, size: int) -> None:
    """Write the images of the four domains, and the name of each."""
    shape = (sum(map(sum, COUNTS.values())), 3, size, size)
    images = new_mapped(
        folder / "images.npy",
        dtype=np.uint8,
        shape=shape,
    )
    names: list[str] = []
    for domain in COUNTS:
        names += _decode_domain(domain, images[len(names) :])
    images.flush()
    (folder / "names.txt").write_text("\n".join(names), encoding="utf-8")


def _decode_domain(domain: str, images: np.ndarray) -> list[str]:
    """Decode the images of a domain into the first rows of an array; returns their names."""
    with open_zip(IMAGES[domain].place, most=_MOST) as archive:
        members = _jpegs(archive, domain)
        names = sorted(members)
        decode_square(images, names, lambda name: read_member(archive, members[name]))
    return names


def _jpegs(archive: ZipFile, domain: str) -> dict[str, ZipInfo]:
    """The images of a domain by their names.

    Raises:
        ValueError: a class has another number of images than published.
    """
    name_of_image = re.compile(rf"{domain}/({'|'.join(CLASSES)})/[^/]+\.jpg")
    images = {
        member.filename: member
        for member in archive.infolist()
        if name_of_image.fullmatch(member.filename)
    }
    counts = Counter(name.split("/")[1] for name in images)
    if tuple(counts[name] for name in CLASSES) != COUNTS[domain]:
        wrong = next(
            name
            for name, expected in zip(CLASSES, COUNTS[domain], strict=True)
            if counts[name] != expected
        )
        raise ValueError(
            f"{counts[wrong]} images in {domain}/{wrong}, expected "
            f"{COUNTS[domain][CLASSES.index(wrong)]}"
        )
    return images


def _as_listed(
    tasks: TaskSet,
    names: Sequence[str],
    percentage: int,
) -> TaskSet:
    """The tasks with the parts that the published lists give, and only the images in these."""
    row_of = {name: row for row, name in enumerate(names)}
    parts = np.full(len(names), "", dtype=object)
    for domain in COUNTS:
        for part in ("train", "test"):
            file = LISTS[f"{'c' if domain == 'caltech10' else domain}/{part}_{percentage}"]
            SET.require([file])
            with naming(file.place):
                parts[[row_of[name] for name in listed_names(file.read(), domain)]] = part
    kept = tasks.select(parts[tasks.rows] != "")
    left_out = len(names) - len(kept.rows)
    notes = (
        (f"{left_out} image(s) that the {percentage} % lists do not name are left out",)
        if left_out
        else ()
    )
    return replace(
        kept,
        parts=(np.where(parts == "", "train", parts),),
        train_fraction_of_all=False,
        notes=notes,
    )


def listed_names(content: bytes, domain: str) -> list[str]:
    """The images that a list names, as ``DOMAIN/CLASS/FILE``, each once.

    A line is a path of which the last part counts, ``CLASS_FILE`` (``FILE`` for caltech10), and a
    label from 0 to 9.

    Raises:
        ValueError: a line is not that, or its class and label differ.
    """
    names: dict[str, None] = {}
    for number, line in enumerate(content.decode("ascii").splitlines(), start=1):
        found = re.fullmatch(
            r"(?:\S*/)?(?P<kind>[a-z_]*?)_?(?P<file>(?:frame|\d{3})_\d{4}\.jpg) (?P<label>\d)",
            line.strip(),
        )
        if not found or (found["kind"] == "") != (domain == "caltech10"):
            raise ValueError(f"line {number} is not the path of an image and its label: {line!r}")
        kind = CLASSES[int(found["label"])]
        if found["kind"] and _IN_LISTS.get(found["kind"], found["kind"]) != kind:
            raise ValueError(
                f"line {number}: an image of {found['kind']} has the label "
                f"{found['label']}, which is {kind}"
            )
        names[f"{domain}/{kind}/{found['file']}"] = None
    return list(names)
