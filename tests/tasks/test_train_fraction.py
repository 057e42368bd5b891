"""A training fraction of all examples, and images that stay bytes until they are read."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softshare.tasks.sources import Transformed
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Scaled


def drawings(n_classes: int = 4, n_each: int = 20, n_tasks: int = 3) -> TaskSet:
    """Tasks with the same number of examples of every class, of which a training fraction is a
    share.
    """
    labels = np.repeat(np.arange(n_classes), n_each)
    inputs = np.arange(len(labels), dtype=np.float32)[:, None]
    tasks = TaskSet.from_arrays(
        {f"t{number}": (inputs, labels) for number in range(n_tasks)}, kinds="multiclass"
    )
    return replace(tasks, train_fraction_of_all=True)


@given(st.integers(1, 18), st.integers(0, 50))
def test_a_share_is_of_all_examples_of_every_class(n_train: int, seed: int) -> None:
    tasks = drawings()
    divided = split(tasks, seed=seed, train_fraction=n_train / 20)
    for part, least, most in (
        (divided.train, n_train, n_train),
        (divided.validation, (20 - n_train) // 2, (21 - n_train) // 2),
        (divided.test, (20 - n_train) // 2, (21 - n_train) // 2),
    ):
        sizes = np.bincount(tasks.task_of[part] * 4 + tasks.targets[part].astype(int), minlength=12)
        assert sizes.min() >= least
        assert sizes.max() <= most
    assert sorted(np.concatenate([divided.train, divided.validation, divided.test])) == list(
        range(240)
    )


@given(st.integers(0, 50))
def test_a_smaller_share_lies_within_a_larger_one(seed: int) -> None:
    parts = [
        set(split(drawings(), seed=seed, train_fraction=share).train)
        for share in (0.05, 0.1, 0.5, 0.9)
    ]
    assert all(smaller < larger for smaller, larger in pairwise(parts))


def test_the_rest_is_divided_as_validation_and_test_are() -> None:
    divided = split(drawings(), seed=0, train_fraction=0.8, fractions=(0.5, 0.125, 0.375))
    assert [len(part) / 12 for part in (divided.train, divided.validation, divided.test)] == [
        16,
        1,
        3,
    ]
    divided = split(drawings(), seed=0, train_fraction=0.8, fractions=(0.8, 0.0, 0.2))
    assert [len(part) / 12 for part in (divided.train, divided.validation, divided.test)] == [
        16,
        0,
        4,
    ]


def test_all_examples_cannot_train() -> None:
    with pytest.raises(
        ValueError, match="train_fraction: here it is a fraction of all examples, and 1 of the 20"
    ):
        split(drawings(), seed=0)


@pytest.mark.parametrize(
    ("share", "fractions", "most"),
    [(0.95, (0.6, 0.2, 0.2), "0.9"), (0.98, (0.8, 0.0, 0.2), "0.95")],
)
def test_a_share_that_leaves_too_little_is_refused(
    share: float, fractions: tuple[float, float, float], most: str
) -> None:
    with pytest.raises(
        ValueError,
        match=f"{share} of the 20 of the largest class leaves fewer than .*; give at most {most}",
    ):
        split(drawings(), seed=0, train_fraction=share, fractions=fractions)
    assert (
        len(split(drawings(), seed=0, train_fraction=float(most), fractions=fractions).train)
        == float(most) * 240
    )


class Recorded:
    """A source of bytes that remembers which rows were read."""

    def __init__(self, content: np.ndarray) -> None:
        self.content, self.shape, self.dtype = content, content.shape, content.dtype
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.content)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.read.extend(rows.tolist())
        return self.content[rows]


def test_images_are_scaled_only_when_they_are_read() -> None:
    source = Recorded(np.random.default_rng(0).integers(256, size=(60, 1, 4, 4), dtype=np.uint8))
    tasks = TaskSet.from_shared_inputs(source, {"y": np.arange(60) % 2})
    train, _, _ = tasks.split(seed=0)
    assert source.read == []
    assert train.preprocessing == (Scaled(255.0),)
    inputs, _ = train.examples(0)
    assert source.read == train.rows.tolist()
    assert inputs.dtype == torch.float32
    np.testing.assert_allclose(inputs, source.content[train.rows] / 255, atol=1e-7)


def test_transformed_rows_keep_their_number_and_shape() -> None:
    rows = Transformed(torch.arange(12.0).reshape(4, 3), torch.neg)
    assert (len(rows), rows.shape) == (4, (4, 3))
    np.testing.assert_array_equal(rows[np.array([2, 0])], [[-6, -7, -8], [0, -1, -2]])
