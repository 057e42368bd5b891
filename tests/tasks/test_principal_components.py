"""Principal components against the singular value decomposition of the training rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from softshare.tasks.components import Components
from softshare.tasks.features import from_json
from softshare.tasks.principal_components import principal_components
from softshare.tasks.task_set import TaskSet

NUMBERS = np.random.default_rng(1)


def pictures() -> TaskSet:
    """Bytes, as images are."""
    images = NUMBERS.integers(256, size=(60, 1, 4, 3)).astype(np.uint8)
    targets = {name: NUMBERS.integers(2, size=60) for name in "ab"}
    return TaskSet.from_shared_inputs(images, targets, kinds="binary")


def test_coordinates_are_those_of_the_training_rows_directions() -> None:
    tasks = pictures()
    parts = tasks.split(seed=0)
    train, validation, test = principal_components(*parts, n_components=3)
    rows = parts[0].examples(0)[0].flatten(1).double()
    mean = rows.mean(0)
    _, _, axes = torch.linalg.svd(rows - mean, full_matrices=False)
    for before, after in zip(parts, (train, validation, test), strict=True):
        expected = (before.examples(0)[0].flatten(1).double() - mean) @ axes[:3].T
        found = after.examples(0)[0].double()
        signs = torch.sign((found * expected).sum(0))  # a direction may point either way
        assert_close(found * signs, expected, rtol=1e-4, atol=1e-5)


def test_no_row_but_the_training_rows_is_looked_at() -> None:
    tasks = pictures()
    train, validation, test = tasks.split(seed=0)
    first, *_ = principal_components(train, validation, test, n_components=2)
    inputs = tasks.sources[0].clone()  # type: ignore[union-attr]
    inputs[np.unique(np.concatenate([validation.rows, test.rows]))] = 255
    changed = TaskSet.from_shared_inputs(
        inputs, {task.name: tasks.targets[tasks.entries(k)] for k, task in enumerate(tasks.tasks)}
    )
    again, *_ = principal_components(*changed.split(seed=0), n_components=2)
    assert np.array_equal(again.rows, train.rows)
    assert_close(first.examples(0)[0], again.examples(0)[0])


def test_raw_inputs_of_later_get_the_same_coordinates() -> None:
    tasks = pictures()
    train, _, test = principal_components(*tasks.split(seed=0), n_components=4)
    (fitted,) = train.preprocessing
    read = from_json(fitted.to_json())
    assert read == fitted
    assert isinstance(read, Components)
    raw = tasks.sources[0][test.rows[test.entries(0)]]  # type: ignore[index]
    assert_close(read.transform(raw), test.examples(0)[0])
    with pytest.raises(ValueError, match="rows of 12 numbers, got shape"):
        read.of_numbers(torch.zeros(2, 5))


def test_what_has_no_such_components_is_refused() -> None:
    parts = pictures().split(seed=0)
    with pytest.raises(
        ValueError, match=r"36 training rows of 12 numbers .* from 1 to 12 .* got 13"
    ):
        principal_components(*parts, n_components=13)
    others = pictures().split(seed=0)
    with pytest.raises(ValueError, match="parts of one split"):
        principal_components(parts[0], others[1], n_components=2)
