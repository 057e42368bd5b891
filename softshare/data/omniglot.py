"""Omniglot: handwritten characters of 50 alphabets, each alphabet a task (Lake, Salakhutdinov & Tenenbaum 2015)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from softshare.data.cache import data_folder, derived
from softshare.data.mapped import MappedArray
from softshare.data.names import near
from softshare.tasks.columns import offsets_of
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

ZIPS = ("images_background.zip", "images_evaluation.zip")
N_IMAGES, SIZE = 32_460, 105
ORDER_SEED = 0
"""Of the fixed random order of the alphabets."""

_MEMBER = re.compile(r"images_(?:background|evaluation)/(?P<alphabet>[^/]+)/character(?P<character>\d\d)/\d{4}_(?P<drawing>\d\d)\.png")


def load(alphabets: Sequence[str] | None = None) -> TaskSet:
    """Every alphabet a task: to tell its 14 to 55 characters apart, 20 drawings of each.

    A training share (``train_fraction``) is of the 20 drawings of each character; the rest is divided between validation
    and test. Images are grey, 105×105, ink 255 on a background of 0; they stay on disk until a batch asks for them.

    Args:
        alphabets: which, in this order; all 50 in one fixed random order when None, so that the first ``T`` of
            them are the same tasks whatever is asked for.

    Raises:
        FileNotFoundError: the files are not in the data folder.
        ValueError: an alphabet is unknown, or a file is damaged.
    """
    drawings, images = _drawings()
    names = sorted(set(drawings["alphabet"]))
    if alphabets is None:
        chosen = [names[number] for number in np.random.default_rng(ORDER_SEED).permutation(len(names))]
    else:
        chosen = list(alphabets)
    if unknown := [name for name in chosen if name not in names]:
        raise ValueError(f"alphabets: there is no {unknown[0]!r}; {near(unknown[0], names, most=50)}")
    rows = drawings.groupby("alphabet").indices
    return _task_set({name: np.asarray(rows[name]) for name in chosen}, drawings, images)


def groups() -> TaskSet:
    """Five tasks, A to E, of ten alphabets each: to tell all their characters apart (alphabets by name, the first ten in A)."""
    drawings, images = _drawings()
    place = pd.factorize(drawings["alphabet"], sort=True)[0]
    return _task_set({letter: np.flatnonzero(place // 10 == number) for number, letter in enumerate("ABCDE")}, drawings, images)


def _task_set(rows: dict[str, np.ndarray], drawings: pd.DataFrame, images: MappedArray) -> TaskSet:
    """Tasks to tell apart the characters of these rows."""
    tasks, targets = [], []
    for name, members in rows.items():
        one_alphabet = drawings["alphabet"].iloc[members].nunique() == 1
        characters = drawings["character"] if one_alphabet else drawings["alphabet"] + " " + drawings["character"]
        codes, classes = pd.factorize(characters.iloc[members], sort=True)
        tasks.append(Task(name, "multiclass", len(classes), tuple(classes)))
        targets.append(codes.astype(np.float64))
    return TaskSet(
        tuple(tasks),
        (images,),
        np.zeros(len(tasks), dtype=np.int64),
        offsets_of([len(members) for members in rows.values()]),
        np.concatenate(list(rows.values())),
        np.concatenate(targets),
        train_share_of_all=True,
    )


def _drawings() -> tuple[pd.DataFrame, MappedArray]:
    """Which alphabet, character and drawing every image is, and the images ``(N, 1, 105, 105)``."""
    zips = [data_folder() / "omniglot" / name for name in ZIPS]
    folder = derived("omniglot-1", zips, lambda target: _decode(zips, target))
    drawings = pd.read_csv(folder / "drawings.csv", dtype=str, keep_default_na=False)
    return drawings, MappedArray(folder / "images.npy")


def _decode(zips: Iterable[Path], folder: Path) -> None:
    """Write the images of the zips, in the order of alphabet, character and drawing, and which is which."""
    found = []
    for path in zips:
        with zipfile.ZipFile(path) as archive:
            found += [(match.groups(), archive.read(match.string)) for match in map(_MEMBER.fullmatch, archive.namelist()) if match]
    found.sort(key=lambda drawing: drawing[0])
    images = np.lib.format.open_memmap(folder / "images.npy", mode="w+", dtype=np.uint8, shape=(len(found), 1, SIZE, SIZE))
    for image, (_, content) in zip(images, found, strict=True):
        image[0] = _ink(content)
    images.flush()
    names = pd.DataFrame([drawing for drawing, _ in found], columns=["alphabet", "character", "drawing"])
    names.to_csv(folder / "drawings.csv", index=False)


def _ink(png: bytes) -> np.ndarray:
    """An image with ink 255 on 0."""
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.where(np.asarray(image.convert("1")), np.uint8(0), np.uint8(255))
