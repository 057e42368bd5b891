"""Omniglot: handwritten characters of 50 alphabets, each alphabet a task (Lake, Salakhutdinov &
Tenenbaum 2015).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from softshare.data.archives import open_zip, read_member
from softshare.data.cache import derived
from softshare.data.images import pixels_of
from softshare.data.made_images import made_images
from softshare.data.mapped import MappedArray, new_mapped
from softshare.data.names import near
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.columns import offsets_of
from softshare.tasks.sources import as_source
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

_HOME = "https://github.com/brendenlake/omniglot/raw/master/python"
SET = PublicSet(
    name="omniglot",
    title="handwritten characters of 50 alphabets, 32,460 images",
    paper="Lake, Salakhutdinov & Tenenbaum 2015",
    licence="MIT",
    home="https://github.com/brendenlake/omniglot",
    files=(
        PublicFile(
            "omniglot/images_background.zip",
            9_464_212,
            f"{_HOME}/images_background.zip",
            "md5:68d2efa1b9178cc56df9314c21c6e718",
        ),
        PublicFile(
            "omniglot/images_evaluation.zip",
            6_462_886,
            f"{_HOME}/images_evaluation.zip",
            "md5:6b91aef0f799c5bb55b94e3f2daec811",
        ),
    ),
)

N_CHARACTERS = {"images_background.zip": 964, "images_evaluation.zip": 659}
N_DRAWINGS, SIZE = 20, 105
ALPHABETS_A_GROUP = 10
ORDER_SEED = 0
"""Of the fixed random order of the alphabets."""

_MOST = 1 << 28
_MEMBER = re.compile(
    r"images_(?:background|evaluation)/(?P<alphabet>[^/]+)/"
    r"character(?P<character>\d\d)/\d{4}_(?P<drawing>\d\d)\.png"
)


def load(alphabets: Sequence[str] | None = None) -> TaskSet:
    """Every alphabet a task: to tell its 14 to 55 characters apart, 20 drawings of each.

    A training fraction (``train_fraction``) is of the 20 drawings of each character; the rest is
    divided between validation and test. Images are grey, 105×105, ink 255 on a background of 0;
    they stay on disk until a batch asks for them.

    Args:
        alphabets: which, in this order; all 50 in one fixed random order when None, so that the
            first ``T`` of them are the same tasks whatever is asked for.

    Raises:
        FileNotFoundError: the files are not in the data folder.
        ValueError: an alphabet is unknown, or a file is damaged.
    """
    drawings, images = _drawings()
    names = sorted(set(drawings["alphabet"]))
    if alphabets is None:
        chosen = [
            names[number] for number in np.random.default_rng(ORDER_SEED).permutation(len(names))
        ]
    else:
        chosen = list(alphabets)
    if unknown := [name for name in chosen if name not in names]:
        raise ValueError(
            f"alphabets: there is no {unknown[0]!r}; {near(unknown[0], names, most=50)}"
        )
    rows = drawings.groupby("alphabet").indices
    return _task_set({name: np.asarray(rows[name]) for name in chosen}, drawings, images)


def first(n_alphabets: int) -> TaskSet:
    """The first so many tasks of :func:`load`, images on disk as there."""
    return load().keep_tasks(range(n_alphabets))


def made(n_alphabets: int = 3, *, n_characters: int = 4, n_drawings: int = 10) -> TaskSet:
    """Made images in place of the drawings: tasks of the form that :func:`load` has.

    Args:
        n_alphabets: tasks.
        n_characters: of the first; every further one has one more.
        n_drawings: of every character.
    """
    alphabets, characters, labels = [], [], []
    n_patterns = 0
    for number in range(n_alphabets):
        own = np.repeat(np.arange(n_characters + number), n_drawings)
        alphabets += [f"made {number + 1}"] * len(own)
        characters += [f"{character + 1:02d}" for character in own]
        labels.append(n_patterns + own)
        n_patterns += n_characters + number
    drawings = pd.DataFrame({"alphabet": alphabets, "character": characters})
    rows = {
        str(name): np.asarray(own) for name, own in drawings.groupby("alphabet").indices.items()
    }
    return _task_set(rows, drawings, made_images(np.concatenate(labels), size=SIZE))


def groups(characters: int | None = None) -> TaskSet:
    """Five tasks, A to E, of ten alphabets each: to tell their characters apart (alphabets by name,
    the first ten in A).

    Args:
        characters: so many of each alphabet, the first by name; all when None.
    """
    drawings, images = _drawings()
    place = pd.factorize(drawings["alphabet"], sort=True)[0]
    number_in = drawings.groupby("alphabet")["character"].rank("dense")
    is_in = np.full(len(drawings), True) if characters is None else number_in <= characters
    return _task_set(
        {
            letter: np.flatnonzero((place // ALPHABETS_A_GROUP == number) & is_in)
            for number, letter in enumerate("ABCDE")
        },
        drawings,
        images,
    )


def _task_set(
    rows: dict[str, np.ndarray],
    drawings: pd.DataFrame,
    images: MappedArray | np.ndarray,
) -> TaskSet:
    """Tasks to tell apart the characters of these rows."""
    tasks, targets = [], []
    for name, members in rows.items():
        one_alphabet = drawings["alphabet"].iloc[members].nunique() == 1
        characters = (
            drawings["character"]
            if one_alphabet
            else drawings["alphabet"] + " " + drawings["character"]
        )
        codes, classes = pd.factorize(characters.iloc[members], sort=True)
        tasks.append(
            Task(
                name,
                "multiclass",
                len(classes),
                tuple(classes),
            )
        )
        targets.append(codes.astype(np.float64))
    return TaskSet(
        tuple(tasks),
        (as_source(images),),
        np.zeros(len(tasks), dtype=np.int64),
        offsets_of([len(members) for members in rows.values()]),
        np.concatenate(list(rows.values())),
        np.concatenate(targets),
        train_fraction_of_all=True,
    )


def _drawings() -> tuple[pd.DataFrame, MappedArray]:
    """Which alphabet, character and drawing every image is, and the images ``(N, 1, 105, 105)``."""
    SET.require()
    zips = [file.place for file in SET.files]
    folder = derived("omniglot-1", zips, lambda target: _decode(zips, target))
    drawings = pd.read_csv(folder / "drawings.csv", dtype=str, keep_default_na=False)
    return drawings, MappedArray(folder / "images.npy")


def _decode(zips: Iterable[Path], folder: Path) -> None:
    """Write the images of the zips, and which alphabet, character and drawing each is."""
    names: list[tuple[str, ...]] = []
    shape = (N_DRAWINGS * sum(N_CHARACTERS.values()), 1, SIZE, SIZE)
    images = new_mapped(
        folder / "images.npy",
        dtype=np.uint8,
        shape=shape,
    )
    for path in zips:
        for name, ink in drawings_in(path, N_CHARACTERS[path.name]):
            images[len(names), 0] = 255 * ink
            names.append(name)
    images.flush()
    pd.DataFrame(names, columns=["alphabet", "character", "drawing"]).to_csv(
        folder / "drawings.csv", index=False
    )


def drawings_in(path: Path, n_characters: int) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """The drawings in one of the zips, one after the other: (alphabet, character, drawing) and
    where there is ink.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or has not 20 drawings of each of so many characters.

    Shape:
        each image ``(105, 105)`` booleans.
    """
    with open_zip(path, most=_MOST) as archive:
        members = {
            match.groups(): match.string
            for match in map(_MEMBER.fullmatch, archive.namelist())
            if match
        }
        _check_complete(members, n_characters)
        for name, member in members.items():
            yield name, _ink(read_member(archive, archive.getinfo(member)), member)


def _check_complete(names: Iterable[tuple[str, ...]], n_characters: int) -> None:
    """Characters are numbered from 1 in every alphabet, drawings in every character."""
    drawings = Counter(name[:2] for name in names)
    odd = next(
        (" ".join(character) for character, count in drawings.items() if count != N_DRAWINGS), None
    )
    if odd:
        raise ValueError(
            f"{odd} has {drawings[tuple(odd.split(' '))]} drawings, expected {N_DRAWINGS}"
        )
    last = Counter[str]()
    for alphabet, number in drawings:
        last[alphabet] = max(last[alphabet], int(number))
    if len(drawings) != n_characters or sum(last.values()) != n_characters:
        raise ValueError(
            f"it has {len(drawings)} characters, expected {n_characters}, numbered from 1 "
            "in every alphabet"
        )


def _ink(png: bytes, member: str) -> np.ndarray:
    try:
        ink = ~pixels_of(png, mode="1")
        if ink.shape != (SIZE, SIZE):
            raise ValueError(
                f"an image has {SIZE} by {SIZE} pixels, this one {ink.shape[0]} by {ink.shape[1]}"
            )
    except ValueError as error:
        raise ValueError(f"{member}: {error}") from None
    return ink
