"""CelebA: 202,599 photographs of faces with 40 attributes, each attribute a task (Liu, Luo, Wang &
Tang 2015).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from softshare.data.archives import naming
from softshare.data.cache import derived
from softshare.data.images import image_files, image_reader, write_square_images
from softshare.data.mapped import MappedArray
from softshare.data.names import near
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.splits import PARTS
from softshare.tasks.task_set import TaskSet

ATTRIBUTES = PublicFile(
    "celeba/list_attr_celeba.txt", 26_721_026, content="md5:75e246fa4810816ffd6ee81facbd244c"
)
PARTITION = PublicFile(
    "celeba/list_eval_partition.txt", 2_836_386, content="md5:d32c9cbf5e040fd4025c592c306e6668"
)
IMAGES = PublicFile("celeba/img_align_celeba", 1_443_490_838)

SET = PublicSet(
    name="celeba",
    title="faces with 40 attributes, 202,599 images",
    paper="Liu, Luo, Wang & Tang 2015",
    licence="for research that is not commercial",
    home="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    files=(ATTRIBUTES, PARTITION, IMAGES),
)


def load(attributes: Sequence[str] | None = None, *, size: int = 64) -> TaskSet:
    """Each attribute a task, to tell whether a face has it, all on the same images; the official
    partition is kept.

    Args:
        attributes: which, in this order; all 40 when None.
        size: height and width to which images are resized, their proportions not kept.

    Raises:
        FileNotFoundError: the lists or the images (the folder ``img_align_celeba``, or its
            ``.zip``) are not in the data folder.
        ValueError: an attribute is unknown, or a file is damaged.
    """
    SET.require()
    has = labels()
    known = [name for name in has.columns if name != "part"]
    chosen = known if attributes is None else list(attributes)
    if unknown := [name for name in chosen if name not in known]:
        raise ValueError(
            f"attributes: there is no {unknown[0]!r}; {near(unknown[0], known, most=40)}"
        )
    paths = [ATTRIBUTES.place, *image_files(IMAGES.place, has.index)]
    folder = derived(
        f"celeba-{size}-1", paths, lambda folder: _decode(list(has.index), folder, size)
    )
    images = MappedArray(folder / "images.npy")
    return TaskSet.from_shared_inputs(
        images,
        {name: has[name].to_numpy() for name in chosen},
        kinds="binary",
        parts=has["part"].to_numpy(),
    )


def labels() -> pd.DataFrame:
    """For every image, by its name, whether it has each of the 40 attributes, and its ``part``;
    needs no images.

    Raises:
        FileNotFoundError: the lists are not in the data folder.
        ValueError: a list is damaged.
    """
    SET.require([ATTRIBUTES, PARTITION])
    with naming(ATTRIBUTES.place):
        has = attribute_table(ATTRIBUTES.read())
    with naming(PARTITION.place):
        part = partition_of(PARTITION.read())
    if not has.index.equals(part.index):
        raise ValueError(f"{PARTITION.place}: its images are not those of {ATTRIBUTES.place.name}")
    return has.assign(part=part)


def attribute_table(content: bytes) -> pd.DataFrame:
    """A table whose first line counts the rows, whose second names the columns, and whose rows are
    a name and 1 or -1 each.

    Raises:
        ValueError: the content is not that.
    """
    count, names, rest = content.split(b"\n", 2)
    columns = names.decode("ascii").split()
    table = pd.read_csv(
        io.BytesIO(rest),
        sep=" ",
        skipinitialspace=True,
        header=None,
        index_col=0,
        names=["image", *columns],
    )
    values = table.to_numpy()
    if (
        len(table) != int(count)
        or values.dtype.kind != "i"
        or not np.isin(values, (-1, 1)).all()
        or not table.index.is_unique
    ):
        raise ValueError(
            f"expected {int(count)} images, each with {len(columns)} attributes that are 1 or -1"
        )
    return table == 1


def partition_of(content: bytes) -> pd.Series:
    """Lines of an image's name and 0 (train), 1 (validation) or 2 (test), as parts by name.

    Raises:
        ValueError: the content is not that.
    """
    numbers = pd.read_csv(
        io.BytesIO(content),
        sep=r"\s+",
        header=None,
        index_col=0,
        names=["image", "part"],
    )["part"]
    if numbers.dtype.kind != "i" or not numbers.isin(range(len(PARTS))).all():
        raise ValueError("every line must be the name of an image and its part, 0, 1 or 2")
    return numbers.map(dict(enumerate(PARTS))).astype(object)


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
