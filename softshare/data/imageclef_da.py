"""ImageCLEF-DA: photographs of twelve kinds of objects from four collections, each collection a
task (2014).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from softshare.data.archives import naming
from softshare.data.cache import derived
from softshare.data.images import image_files, image_reader, write_square_images
from softshare.data.mapped import MappedArray
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.columns import offsets_of
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

DOMAINS = {"bing": "b", "caltech256": "c", "imagenet": "i", "pascal": "p"}
N_CLASSES, N_EACH = 12, 50

_LISTS_HOME = "https://raw.githubusercontent.com/jihanyang/AFN/master/data/ImageCLEF"
LISTS = {
    domain: PublicFile(
        f"imageclef_da/{name}",
        size,
        f"{_LISTS_HOME}/{name}",
        f"sha256:{sha256}",
        f"sha256:{sha256}",
    )
    for domain, name, size, sha256 in (
        (
            "bing",
            "bList.txt",
            23_500,
            "a0558c474a34dfbac6333357366523c5b81c6374a4e37d7c07c33a0022fa0295",
        ),
        (
            "caltech256",
            "cList.txt",
            10_300,
            "a17d36d6f900f274a6c0e2de8dacf8e57db2493f40e525c64c87b39351bcd80e",
        ),
        (
            "imagenet",
            "iList.txt",
            14_730,
            "5128d7e702ddbc16e9f12d3c60ea37fc153fc0942a4b34627c1d75ad0a731b7c",
        ),
        (
            "pascal",
            "pList.txt",
            12_100,
            "a11f9bac2f95f36f071b00a040eccfabb7fff00350abc990fe67766543a38342",
        ),
    )
}
IMAGES = PublicFile("imageclef_da/images", 0)

SET = PublicSet(
    name="imageclef-da",
    title="photographs of twelve kinds of objects from four collections, 2,400 images",
    paper="ImageCLEF 2014 domain adaptation challenge",
    licence="",
    home="https://www.imageclef.org/2014/adaptation",
    files=(*LISTS.values(), IMAGES),
)


def load(*, size: int = 64) -> TaskSet:
    """Each collection a task: to tell twelve kinds of objects apart, 50 images of each.

    A training fraction (``train_fraction``) is of all examples of a class; the rest is divided
    between validation and test.

    Args:
        size: height and width to which images are resized, their proportions not kept.

    Raises:
        FileNotFoundError: the lists, or the images (a folder ``images`` or its ``.zip``, with the
            names of the lists), are not in the data folder.
        ValueError: a file is damaged, or an image is not in the archive.
    """
    SET.require()
    lists = labels()
    names = [name for names, _ in lists.values() for name in names]
    paths = [*(file.place for file in LISTS.values()), *image_files(IMAGES.place, names)]
    folder = derived(f"imageclef-da-{size}-1", paths, lambda folder: _decode(names, folder, size))
    return TaskSet(
        tuple(
            Task(
                domain,
                "multiclass",
                N_CLASSES,
                tuple(map(str, range(N_CLASSES))),
            )
            for domain in lists
        ),
        (MappedArray(folder / "images.npy"),),
        np.zeros(len(lists), dtype=np.int64),
        offsets_of([len(own) for own, _ in lists.values()]),
        np.arange(len(names)),
        np.concatenate([classes for _, classes in lists.values()]).astype(np.float64),
        groups=(np.array(names),),  # nine images stand in two rows
        train_fraction_of_all=True,
    )


def labels() -> dict[str, tuple[list[str], np.ndarray]]:
    """For every collection the names of its 600 images and their classes from 0 to 11; needs no
    images.

    Raises:
        FileNotFoundError: the lists are not in the data folder.
        ValueError: a list is damaged.
    """
    SET.require(LISTS.values())
    found = {}
    for domain, file in LISTS.items():
        with naming(file.place):
            found[domain] = image_list(file.read(), DOMAINS[domain])
    return found


def image_list(content: bytes, folder: str) -> tuple[list[str], np.ndarray]:
    """The images of a collection: lines of ``FOLDER/NAME`` and a class from 0 to 11.

    Nine images of ``pascal`` show two kinds of objects: they are published twice, once for each,
    and so they are here.

    Raises:
        ValueError: a line is not that, an image is named twice for one class, or a class has not 50
            images.
    """
    rows: dict[tuple[str, int], None] = {}
    for number, line in enumerate(content.decode("ascii").splitlines(), start=1):
        found = re.fullmatch(rf"({folder}/[\w.-]+) (\d\d?)", line.strip())
        if not found or int(found[2]) >= N_CLASSES or (found[1], int(found[2])) in rows:
            raise ValueError(f"line {number} is not a new image and its class: {line!r}")
        rows[found[1], int(found[2])] = None
    classes = np.array([label for _, label in rows], dtype=np.int64)
    if np.bincount(classes, minlength=N_CLASSES).tolist() != [N_EACH] * N_CLASSES:
        raise ValueError(f"each of {N_CLASSES} classes must have {N_EACH} images")
    return [name for name, _ in rows], classes


def _decode(
    names: list[str],
    folder: Path,
    size: int,
) -> None:
    with image_reader(IMAGES.place) as read:
        write_square_images(
            folder / "images.npy",
            names,
            read,
            size=size,
        )
