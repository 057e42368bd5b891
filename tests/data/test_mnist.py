"""MNIST from small made files: its tasks, and damage."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from softshare.data import (
    mnist,
)
from tests.data.damage import check_damage


def test_mnist_is_ten_tasks_and_keeps_its_test_set(made_mnist: np.ndarray) -> None:
    tasks = mnist.load()
    assert tasks.one_input
    assert [task.kind for task in tasks.tasks] == ["binary"] * 10
    for digit in range(10):
        np.testing.assert_array_equal(tasks.examples(digit)[1], made_mnist == digit)
    assert tasks.parts[0].tolist() == ["train"] * 90 + ["test"] * 20
    assert tasks.split(seed=0)[2].rows.tolist() == list(range(90, 110)) * 10


def test_mnist_odd_and_even_share_no_image(made_mnist: np.ndarray) -> None:
    tasks = mnist.odd_even()
    assert [task.classes for task in tasks.tasks] == [
        ("1", "3", "5", "7", "9"),
        ("0", "2", "4", "6", "8"),
    ]
    assert not tasks.one_input
    for number, rest in enumerate((1, 0)):
        own = tasks.entries(number)
        np.testing.assert_array_equal(tasks.targets[own] * 2 + rest, made_mnist[tasks.rows[own]])


def test_mnist_pairs_are_drawn_with_replacement(made_mnist: np.ndarray) -> None:
    tasks = mnist.digit_pairs(60, seed=1)
    assert len(set(tasks.names)) == 60
    assert any(str(name).endswith("(2)") for name in tasks.names), (
        "60 draws of 45 pairs repeat some"
    )
    assert mnist.digit_pairs(10, seed=1).names == tasks.names[:10]
    for number, name in enumerate(tasks.names):
        low, high = map(int, re.findall(r"\d", str(name))[:2])
        own = tasks.entries(number)
        np.testing.assert_array_equal(
            made_mnist[tasks.rows[own]], np.where(tasks.targets[own] == 1, high, low)
        )


def test_mnist_brightness_keeps_the_units_of_coordinates_and_pixels(made_mnist: np.ndarray) -> None:
    tasks = mnist.brightness(3)
    assert tasks.n_examples.tolist() == [784] * 3
    assert tasks.one_input
    train, _, _ = tasks.split(seed=0)
    inputs, targets = train.examples(0)
    assert 0 <= inputs.min() < inputs.max() <= 1
    assert 0 <= targets.min() < targets.max() <= 1
    assert tasks.examples(2)[0][28 * 3 + 5].tolist() == pytest.approx([3 / 27, 5 / 27])


def test_damaged_files_of_mnist_are_seen(made_mnist: np.ndarray, made_folder: Path) -> None:
    check_damage(
        made_folder / "mnist" / "t10k-labels-idx1-ubyte.gz", lambda: mnist.odd_even().examples(1)
    )
