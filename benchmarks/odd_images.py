"""Image folders laid out and written oddly, and arrays of every kind, by generators that know what
they made.

``python -m benchmarks.odd_images --number 2000`` (about four minutes on one core) makes so many
folders: with parts around the tasks, within them or nowhere, with files of file managers, in every
format and mode, transparent, palettes, turned by EXIF, of 1 to 16 bits, some damaged. Held against
what was made:

* parts are never tasks or classes, and every image has its task, class and part;
* the square that tells two classes apart is still there, at its place;
* nothing but a ``ValueError`` of one line is raised.

As many arrays and tensors of all types and containers must give the features that the same numbers
give as float64, or be refused in one line with the task's name. It prints how many were read and
refused, and every fault with the seed that makes it again (``--first SEED --number 1``).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse
import torch
from PIL import Image
from PIL.ExifTags import Base

from softshare.data.image_form import ImageForm
from softshare.data.image_layout import layout_of
from softshare.data.image_survey import survey
from softshare.tasks.task_set import TaskSet

SIDE = 12
PARTS = {"train": ("train", "Training", "train_images"), "test": ("test", "TEST", "test set")}
JUNK = ("Thumbs.db", ".DS_Store", "desktop.ini", "._0.png")

Write = Callable[[np.ndarray, Path], None]
"""Writes a picture of zeros and ones; the path's ending is added."""


def _transparent(colour: int) -> Write:
    def write(square: np.ndarray, path: Path) -> None:
        pixels = np.full((SIDE, SIDE, 4), colour, dtype=np.uint8)
        pixels[..., 3] = 255 * square
        Image.fromarray(pixels).save(path.with_suffix(".png"))

    return write


def _plain(mode: str, ending: str) -> Write:
    def write(square: np.ndarray, path: Path) -> None:
        grey = Image.fromarray((square * 255).astype(np.uint8))
        grey.convert(mode).save(path.with_suffix(ending))

    return write


def _deep(bits: int, ending: str) -> Write:
    def write(square: np.ndarray, path: Path) -> None:
        numbers = (square * ((1 << bits) - 1)).astype(np.uint16)
        Image.fromarray(numbers).save(path.with_suffix(ending))

    return write


def _turned(square: np.ndarray, path: Path) -> None:
    """A photograph taken with the camera upside down."""
    exif = Image.Exif()
    exif[Base.Orientation] = 3
    grey = Image.fromarray((np.rot90(square, 2) * 255).astype(np.uint8))
    grey.save(path.with_suffix(".jpg"), quality=95, exif=exif)


WRITERS: dict[str, Write] = {
    "black on nothing": _transparent(0),
    "grey on nothing": _transparent(128),
    "white on nothing": _transparent(255),
    "12 bits": _deep(12, ".png"),
    "16 bits": _deep(16, ".tif"),
    "9 bits": _deep(9, ".png"),
    "turned": _turned,
    "palette": _plain("P", ".gif"),
    "two colours": _plain("1", ".bmp"),
    "cmyk": _plain("CMYK", ".jpg"),
    "webp": _plain("RGB", ".webp"),
    "tiff": _plain("RGB", ".tiff"),
    "grey and alpha": _plain("LA", ".png"),
}


def check_folder(seed: int, root: Path) -> str:
    """Make a folder and read it.

    Returns:
        ``read`` or ``refused``.

    Raises:
        AssertionError: it was read as something else than was made.
    """
    random = np.random.default_rng(seed)
    order = random.choice(["{task}/{label}", "{part}/{task}/{label}", "{task}/{part}/{label}"])
    how = str(random.choice(list(WRITERS)))
    named = {part: str(random.choice(names)) for part, names in PARTS.items()}
    made: dict[str, tuple[str, str, str, np.ndarray]] = {}
    for task in ("birds", "cars"):
        for label in range(2):
            for part, folder in named.items():
                where = order.format(task=task, part=folder, label=f"class {label}")
                (root / where).mkdir(parents=True, exist_ok=True)
                square = np.zeros((SIDE, SIDE))
                begin = 1 + 6 * label
                square[begin : begin + 4, begin : begin + 4] = 1
                WRITERS[how](square, root / where / part)
                made[f"{where}/{part}"] = (task, f"class {label}", part, square)
    for junk in random.choice(JUNK, random.integers(3), replace=False):
        (root / next(iter(made))).with_name(str(junk)).write_bytes(b"junk")
    layout = layout_of(root)
    assert not layout.strays, layout.strays
    assert sorted(name.rsplit(".", 1)[0] for name in layout.names) == sorted(made)
    found = survey(root, layout.names)
    form = ImageForm(SIDE, SIDE, alpha=found.alpha, bits=found.bits)
    for row, name in enumerate(layout.names):
        task, label, part, square = made[name.rsplit(".", 1)[0]]
        assert (layout.tasks[row], layout.labels[row]) == (task, label), name
        assert layout.parts is None or layout.parts[row] == part, name
        _check_square(form.decode(root / name), square, f"{how}: {name}")
    return _damaged(root / layout.names[0], form, random)


def _check_square(pixels: np.ndarray, square: np.ndarray, told: str) -> None:
    """The square is lighter or darker than what is around it, in one channel at least."""
    inside = pixels[:, square == 1].astype(float).mean(axis=1)
    around = pixels[:, square == 0].astype(float).mean(axis=1)
    assert np.abs(inside - around).max() > 100, told


def _damaged(path: Path, form: ImageForm, random: np.random.Generator) -> str:
    """Change some bytes of an image and read it again."""
    content = bytearray(path.read_bytes())
    for place in random.integers(0, len(content), 4):
        content[place] = random.integers(256)
    path.write_bytes(content[: random.integers(1, len(content) + 1)])
    try:
        decoded = form.decode(path)
    except ValueError as error:
        return _refused(error, is_right=len(str(error).splitlines()) == 1)
    assert decoded.shape == form.shape
    return "read"


def _refused(error: ValueError, *, is_right: bool) -> str:
    if not is_right:
        raise AssertionError(str(error))
    return "refused"


CONTAINERS: dict[str, Callable[[np.ndarray], object]] = {
    "tensor": torch.from_numpy,
    "list": lambda rows: rows.tolist(),
    "frame": lambda rows: pd.DataFrame(rows),
    "fortran": np.asfortranarray,
    "other bytes": lambda rows: rows.astype(rows.dtype.newbyteorder()),
    "masked": lambda rows: np.ma.masked_array(rows, np.zeros(rows.shape, bool)),
    "trained": lambda rows: torch.from_numpy(rows.astype(np.float64)).requires_grad_(),
    "strided": lambda rows: np.repeat(rows, 2, axis=0)[::2],
    "nullable": lambda rows: pd.DataFrame(rows).convert_dtypes(),
    "sparse": lambda rows: scipy.sparse.csr_array(rows.astype(np.float64)),
    "one column": lambda rows: rows[:, 0],
    "text": lambda rows: rows.astype(str),
}
TYPES = ("bool", "uint8", "uint16", "uint32", "int8", "int16", "int64", "float16", "float64")


def check_container(seed: int) -> str:
    """Make an array and what it is wrapped in, and compare its features with those of float64.

    Returns:
        ``read`` or ``refused``.

    Raises:
        AssertionError: other features, or an error without the task's name.
    """
    random = np.random.default_rng(seed)
    dtype, container = str(random.choice(TYPES)), str(random.choice(list(CONTAINERS)))
    rows = random.integers(0, 2 if dtype == "bool" else 100, (40, 3)).astype(dtype)
    labels = np.arange(40) % 2
    expected = TaskSet.from_arrays({"a": (rows.astype(np.float64), labels)}).split(seed=0)[0]
    given = CONTAINERS[container](rows)
    try:
        found = TaskSet.from_arrays({"a": (given, labels)}).split(seed=0)[0]
    except ValueError as error:
        may_be = container in ("sparse", "one column", "text")
        return _refused(error, is_right=may_be and str(error).startswith("task 'a': "))
    for one, other in zip(found.examples(0), expected.examples(0), strict=True):
        assert torch.allclose(one.double(), other.double(), atol=1e-5), (dtype, container)
    return "read"


def run(first: int, number: int) -> tuple[Counter[str], list[str]]:
    """Make and check so many folders and arrays.

    Returns:
        How many were read and refused, and the faults.
    """
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for seed in range(first, first + number):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SOFTSHARE_CACHE"] = f"{folder}/cache"
            checks = {
                "folders": lambda at=folder, seed=seed: check_folder(seed, Path(at, "photos")),
                "arrays": lambda seed=seed: check_container(seed),
            }
            for what, check in checks.items():
                try:
                    counts[f"{what} {check()}"] += 1
                except Exception as error:
                    faults.append(f"seed {seed}, {what}: {type(error).__name__}: {error}")
    return counts, faults


def main() -> None:
    """Print what was read, what was refused and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--number", type=int, default=2000)
    options = parser.parse_args()
    counts, faults = run(options.first, options.number)
    for what, count in sorted(counts.items()):
        print(f"{what}: {count}")
    print(f"{len(faults)} fault(s)", *faults[:20], sep="\n")


if __name__ == "__main__":
    main()
