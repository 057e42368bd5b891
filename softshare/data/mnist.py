"""MNIST: handwritten digits, 60,000 to train on, 10,000 to test (LeCun, Cortes & Burges 1998)."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import combinations

import numpy as np

from softshare.data.archives import naming
from softshare.data.made_images import made_images
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Scaled

SIZE = 28
"""Pixels a side."""

_HOME = "https://ossci-datasets.s3.amazonaws.com/mnist"


def _file(
    name: str,
    size: int,
    download: str,
    content: str,
) -> PublicFile:
    return PublicFile(
        f"mnist/{name}",
        size,
        f"{_HOME}/{name}.gz",
        f"md5:{download}",
        f"md5:{content}",
    )


SET = PublicSet(
    name="mnist",
    title="handwritten digits, 70,000 images",
    paper="LeCun, Bottou, Bengio & Haffner 1998",
    licence="",
    home="http://yann.lecun.com/exdb/mnist/",
    files=(
        _file(
            "train-images-idx3-ubyte",
            9_912_422,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "6bbc9ace898e44ae57da46a324031adb",
        ),
        _file(
            "train-labels-idx1-ubyte",
            28_881,
            "d53e105ee54ea40749a09fcbcd1e9432",
            "a25bea736e30d166cdddb491f175f624",
        ),
        _file(
            "t10k-images-idx3-ubyte",
            1_648_877,
            "9fb629c4189551a2d022fa330f9573f3",
            "2646ac647ad5339dbf082846283269ea",
        ),
        _file(
            "t10k-labels-idx1-ubyte",
            4_542,
            "ec29112dd5afa0611ce80d1b7f02629c",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
)


def load(*, halved: bool = False) -> TaskSet:
    """Ten tasks, each to tell one digit from the rest, on the same images ``(1, 28, 28)``; the
    10,000 are the test set.

    Args:
        halved: images of 14 × 14, each pixel the mean of four: a step takes a quarter of the time.
    """
    return _one_vs_rest(*_images(), halved=halved)


def made(*, halved: bool = False, n_train: int = 400, n_test: int = 100) -> TaskSet:
    """Made images in place of the digits: tasks, shapes and parts as :func:`load` has them.

    Args:
        halved: as there.
        n_train: images to train on.
        n_test: images of the test set.
    """
    return _one_vs_rest(*_made(n_train, n_test), halved=halved)


def odd_even(*, halved: bool = False) -> TaskSet:
    """Two tasks: to tell the odd digits apart, and the even ones (five classes each, no image in
    both).

    Args:
        halved: see :func:`load`.
    """
    return _odd_even(*_images(), halved=halved)


def made_odd_even(*, halved: bool = False, n_train: int = 400, n_test: int = 100) -> TaskSet:
    """Made images in place of the digits: tasks, shapes and parts as :func:`odd_even` has them.

    Args:
        halved: see :func:`load`.
        n_train: images to train on.
        n_test: images of the test set.
    """
    return _odd_even(*_made(n_train, n_test), halved=halved)


def ten_classes(*, halved: bool = False) -> TaskSet:
    """One task, ``digits``: to tell all ten apart.

    Args:
        halved: see :func:`load`.
    """
    return _ten_classes(*_images(), halved=halved)


def made_ten_classes(*, halved: bool = False, n_train: int = 400, n_test: int = 100) -> TaskSet:
    """Made images in place of the digits: the task, shapes and parts as :func:`ten_classes`.

    Args:
        halved: see :func:`load`.
        n_train: images to train on.
        n_test: images of the test set.
    """
    return _ten_classes(*_made(n_train, n_test), halved=halved)


def digit_pairs(n_tasks: int = 10, *, seed: int = 0) -> TaskSet:
    """Tasks that tell two digits apart, each one of the 45 pairs, drawn with replacement.

    Args:
        n_tasks: how many.
        seed: of the draws; fewer tasks are the first of more.
    """
    images, digits, parts = _images()
    pairs = list(combinations(range(10), 2))
    drawn = [
        pairs[number] for number in np.random.default_rng(seed).integers(len(pairs), size=n_tasks)
    ]
    targets = {}
    for number, (low, high) in enumerate(drawn):
        earlier = drawn[:number].count((low, high))
        name = f"{low} or {high}{f' ({earlier + 1})' if earlier else ''}"
        targets[name] = np.where((digits == low) | (digits == high), digits, np.nan)
    return replace(
        TaskSet.from_shared_inputs(
            images,
            targets,
            kinds="binary",
            parts=parts,
        ),
        one_input=False,
    )


def brightness(n_images: int = 10, *, digit: int = 4) -> TaskSet:
    """Every image a task: from the coordinates of a pixel to its brightness, both from 0 to 1.

    Args:
        n_images: the first training images of the digit.
        digit: which.
    """
    images, digits, _ = _images()
    chosen = images[np.flatnonzero(digits == digit)[:n_images]].reshape(-1, 28 * 28) / 255.0
    coordinates = (
        np.stack(np.meshgrid(np.arange(28), np.arange(28), indexing="ij"), axis=-1).reshape(-1, 2)
        / 27.0
    )
    tasks = TaskSet.from_shared_inputs(
        coordinates,
        {f"image {number}": row for number, row in enumerate(chosen)},
        kinds="regression",
    )
    # Both ends are in [0, 1] already, and stay in these units.
    return replace(
        tasks, preprocessing=(Scaled(1.0),), target_scaling=np.tile([0.0, 1.0], (len(tasks), 1))
    )


def _one_vs_rest(
    images: np.ndarray, digits: np.ndarray, parts: np.ndarray, *, halved: bool
) -> TaskSet:
    """Ten tasks on the same images, each to tell one digit from the rest."""
    targets = {f"digit {digit}": digits == digit for digit in range(10)}
    seen = _halved(images) if halved else images
    return TaskSet.from_shared_inputs(seen, targets, parts=parts)


def _odd_even(
    images: np.ndarray, digits: np.ndarray, parts: np.ndarray, *, halved: bool
) -> TaskSet:
    """Two tasks, each on images of its own."""
    targets = {
        name: np.where(digits % 2 == rest, digits, np.nan)
        for name, rest in (("odd", 1), ("even", 0))
    }
    seen = _halved(images) if halved else images
    tasks = TaskSet.from_shared_inputs(seen, targets, kinds="multiclass", parts=parts)
    return replace(tasks, one_input=False)


def _ten_classes(
    images: np.ndarray, digits: np.ndarray, parts: np.ndarray, *, halved: bool
) -> TaskSet:
    """One task on all images."""
    seen = _halved(images) if halved else images
    tasks = TaskSet.from_shared_inputs(seen, {"digits": digits}, kinds="multiclass", parts=parts)
    return replace(tasks, one_input=False)


def _halved(images: np.ndarray) -> np.ndarray:
    """Each pixel the mean of four."""
    half = SIZE // 2
    quarters = images.reshape(-1, 1, half, 2, half, 2)
    return quarters.mean((3, 5)).round().astype(np.uint8)


def _made(n_train: int, n_test: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Made images, their digits, and the part of each."""
    digits = np.arange(n_train + n_test) % 10
    parts = np.repeat(np.array(["train", "test"], dtype=object), [n_train, n_test])
    return made_images(digits, size=SIZE), digits, parts


def _images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All images ``(70000, 1, 28, 28)``, their digits, and the part of each."""
    SET.require()
    arrays = []
    for file in SET.files:
        with naming(file.place):
            arrays.append(idx_array(file.read()))
    train, train_digits, test, test_digits = arrays
    parts = np.repeat(np.array(["train", "test"], dtype=object), [len(train), len(test)])
    return (
        np.concatenate([train, test])[:, None],
        np.concatenate([train_digits, test_digits]).astype(np.int64),
        parts,
    )


def idx_array(content: bytes) -> np.ndarray:
    """An array of bytes in IDX format: a magic number with the number of axes, their lengths, the
    content.

    Raises:
        ValueError: the content is not that.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 4:
        raise ValueError(
            f"not an IDX file of bytes: it begins with {content[:4].hex(' ') or 'nothing'}"
        )
    n_axes = content[3]
    start = 4 + 4 * n_axes
    if len(content) < start:
        raise ValueError("the IDX file ends within its header")
    shape = struct.unpack(f">{n_axes}I", content[4:start])
    if len(content) - start != int(np.prod(shape, dtype=object)):
        raise ValueError(
            f"an IDX file of shape {shape} must hold {np.prod(shape, dtype=object)} bytes, "
            f"it holds {len(content) - start}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
