"""The built-in data sets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from softshare.data.load import load


def test_digits_are_ten_tasks_on_one_input() -> None:
    tasks = load("digits")
    images, numbers = load_digits(return_X_y=True)
    assert tasks.one_input
    assert tasks.names == tuple(f"digit {digit}" for digit in range(10))
    assert {task.kind for task in tasks.tasks} == {"binary"}
    for digit in range(10):
        inputs, targets = tasks.examples(digit)
        np.testing.assert_allclose(inputs, images / 16, atol=1e-7)
        np.testing.assert_array_equal(targets, numbers == digit)


def test_digits_keep_their_scale_when_they_are_split() -> None:
    tasks = load("digits")
    assert tasks.split(seed=0, train_fraction=0.1)[0].sources[0] is tasks.sources[0]


def test_classics_differ_in_inputs_and_outputs() -> None:
    tasks = load("classics")
    assert tasks.names == ("iris", "wine", "breast_cancer")
    assert tasks.n_examples.tolist() == [150, 178, 569]
    assert [tasks.input_shape(number) for number in range(3)] == [(4,), (13,), (30,)]
    assert [task.n_outputs for task in tasks.tasks] == [3, 3, 1]
    assert tasks.tasks[0].classes == ("setosa", "versicolor", "virginica")
    assert tasks.tasks[2].classes == ("benign", "malignant")


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_each_classic_stands_alone_too(name: str) -> None:
    alone, together = load(name), load("classics")
    assert alone.tasks == (together.tasks[together.index(name)],)


@pytest.mark.parametrize(
    "name", ["digits", "classics", "iris", "wine", "breast_cancer", "synthetic"]
)
def test_every_built_in_set_is_read_the_same_twice(name: str) -> None:
    assert load(name).fingerprint() == load(name).fingerprint()
