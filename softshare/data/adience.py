"""Adience: photographs of faces with gender and age group, two tasks, in five folds (Eidinger,
Enbar & Hassner 2014).
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from softshare.data.archives import naming
from softshare.data.cache import derived
from softshare.data.images import image_files, image_reader, write_square_images
from softshare.data.made_images import made_images
from softshare.data.mapped import MappedArray
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

AGE_GROUPS = ((0, 2), (4, 6), (8, 13), (15, 20), (25, 32), (38, 43), (48, 53), (60, 100))
GENDERS = ("f", "m")
KINDS: dict[str, Kind] = {"gender": "binary", "age": "multiclass"}
_COLUMNS = (
    "user_id original_image face_id age gender x y dx dy tilt_ang fiducial_yaw_angle fiducial_score"
)

_HOME = (
    "https://raw.githubusercontent.com/GilLevi/AgeGenderDeepLearning/master/Folds/"
    "original_txt_files"
)
FOLDS = tuple(
    PublicFile(
        f"adience/fold_{number}_data.txt",
        size,
        f"{_HOME}/fold_{number}_data.txt",
        f"sha256:{sha256}",
        f"sha256:{sha256}",
    )
    for number, (size, sha256) in enumerate(
        (
            (364_513, "d8f16c3dac0880ff87c7b7573032cb77194c65a10bdceacda132a64933a834dc"),
            (305_495, "eca7a6b9b6dff043cddd7bd55bb95c971c88aec0f0e2508161c1499eab492240"),
            (322_170, "064cbc92f8abbb56fb23e20998883a2aff36895486b5554074ef705a2473f42f"),
            (286_276, "50a0b3e290a327b821b24507a9ae4caa4ddf5cd2eb240bb5cffae7d03c23c935"),
            (316_102, "a1d8eb7ce100f1bf418bdffc6e8e7ef07ffb8ba8df85766f215fa9182ec0f96e"),
        )
    )
)
IMAGES = PublicFile("adience/aligned", 0)

SET = PublicSet(
    name="adience",
    title="faces with gender and age group, 19,487 images",
    paper="Eidinger, Enbar & Hassner 2014",
    licence="on request",
    home="https://talhassner.github.io/home/projects/Adience/Adience-data.html",
    files=(*FOLDS, IMAGES),
)


def load(*, test_fold: int = 0, size: int = 64) -> TaskSet:
    """Two tasks on the same images: gender (two classes), and age group (eight); some labels are
    missing.

    Args:
        test_fold: the fold that is the test set, 0 to 4; a person's images are all in one fold.
        size: height and width to which images are resized, their proportions not kept.

    Raises:
        FileNotFoundError: the fold lists or the images (the folder ``aligned``, or its ``.zip``)
            are not in the data folder.
        ValueError: there is no such fold, or a file is damaged.
    """
    if not 0 <= test_fold < len(FOLDS):
        raise ValueError(f"test_fold: must be 0 to {len(FOLDS) - 1}, got {test_fold}")
    SET.require()
    faces = labels()
    names = _aligned(faces)
    paths = [*(file.place for file in FOLDS), *image_files(IMAGES.place, names)]
    folder = derived(f"adience-{size}-1", paths, lambda folder: _decode(names, folder, size))
    return TaskSet.from_shared_inputs(
        MappedArray(folder / "images.npy"),
        {"gender": faces["gender"], "age": faces["age"]},
        kinds=KINDS,
        groups=faces["person"].to_numpy(),
        parts=np.where(faces["fold"] == test_fold, "test", "train").astype(object),
    )


def made(*, size: int = 64, n_people: int = 40, n_photographs: int = 8) -> TaskSet:
    """Made images in place of the photographs: tasks, shapes and parts as :func:`load` has them.

    A class of gender and age group is a pattern; a fifth of the people are the test set, and every
    eighth face lacks one of its labels.

    Args:
        size: height and width.
        n_people: whose faces; each has one gender and one age group.
        n_photographs: of each.
    """
    person = np.repeat(np.arange(n_people), n_photographs)
    gender = person % len(GENDERS)
    age = person // len(GENDERS) % len(AGE_GROUPS)
    number = np.arange(len(person))
    names = np.array([_name(group) for group in AGE_GROUPS], dtype=object)
    targets = pd.DataFrame({"gender": np.array(GENDERS, dtype=object)[gender], "age": names[age]})
    targets.loc[number % 16 == 0, "gender"] = None
    targets.loc[number % 16 == 8, "age"] = None
    images = made_images(gender * len(AGE_GROUPS) + age, size=size, channels=3)
    is_test = person % 5 == 4
    return TaskSet.from_shared_inputs(
        images,
        {"gender": targets["gender"], "age": pd.Categorical(targets["age"], categories=names)},
        kinds=KINDS,
        groups=person,
        parts=np.where(is_test, "test", "train").astype(object),
    )


def labels() -> pd.DataFrame:
    """A row a face: ``person``, ``image``, ``face``, ``gender``, ``age`` (its group) and ``fold``;
    needs no images.

    Raises:
        FileNotFoundError: the fold lists are not in the data folder.
        ValueError: a list is damaged.
    """
    SET.require(FOLDS)
    folds = []
    for number, file in enumerate(FOLDS):
        with naming(file.place):
            folds.append(faces_of(file.read()).assign(fold=number))
    return pd.concat(folds, ignore_index=True)


def faces_of(content: bytes) -> pd.DataFrame:
    """The faces of one fold file: tab-separated, with a header.

    Raises:
        ValueError: the columns or an age are not as published.
    """
    table = pd.read_csv(
        io.BytesIO(content),
        sep="\t",
        dtype=str,
        keep_default_na=False,
    )
    if " ".join(table.columns) != _COLUMNS or table.isna().any(axis=None):
        raise ValueError(f"a fold file must have the columns {_COLUMNS}")
    gender = table["gender"].where(table["gender"].isin(GENDERS))
    return pd.DataFrame(
        {
            "person": table["user_id"],
            "image": table["original_image"],
            "face": table["face_id"],
            "gender": gender,
            "age": pd.Categorical(
                table["age"].map(age_group), categories=[_name(group) for group in AGE_GROUPS]
            ),
        }
    )


def age_group(text: str) -> str | None:
    """The group that an age belongs to.

    Ranges go to the group that begins with them, or that holds their first number: ``(38, 48)`` and
    the misprint
    ``(25, 23)`` too. Ages between groups belong to none.

    Args:
        text: an age, a range ``(first, last)``, or ``None``.

    Raises:
        ValueError: it is none of these.
    """
    if text in ("None", ""):
        return None
    numbers = re.fullmatch(r"\((\d+), \d+\)|(\d+)", text)
    if not numbers:
        raise ValueError(f"an age must be a number or a range, found {text!r}")
    age = int(numbers[1] or numbers[2])
    return next((_name(group) for group in AGE_GROUPS if group[0] <= age <= group[1]), None)


def _name(group: tuple[int, int]) -> str:
    return f"{group[0]}-{group[1]}"


def _aligned(faces: pd.DataFrame) -> list[str]:
    """Where the aligned image of each face is kept."""
    names = faces["person"] + "/landmark_aligned_face." + faces["face"] + "." + faces["image"]
    return names.tolist()


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
