"""Rows of all tasks: what is refused, and how inputs are scaled."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import log_loss

from softshare.shallow.rows import (
    Scaling,
    checked_rows,
    one_vs_rest,
    row_losses,
    sums_by_task,
    task_codes,
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "ordinal"}, "kind must be one of regression"),
        ({"X": np.ones(4)}, "X must have the shape"),
        ({"X": np.full((4, 1), np.nan)}, "X must be finite"),
        ({"y": [0, 1]}, r"y must have the shape \(4,\)"),
        ({"y": [0, 1, np.inf, 0]}, "y must be finite"),
        ({"y": [0, 1, 2, 0], "kind": "binary"}, "must hold the classes 0 and 1"),
        ({"y": [0, 1, 0.5, 0], "kind": "multiclass"}, "the number of classes"),
        ({"tasks": [0, 1]}, "tasks must have the shape"),
        ({"groups": [0, 1]}, "groups must have 4 entries, not 2"),
    ],
)
def test_rows_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    arguments = {"X": np.ones((4, 1)), "y": [0, 1, 0, 1], "tasks": list("abab")}
    arguments |= {"groups": None, "kind": "regression"} | change
    with pytest.raises(ValueError, match=message):
        checked_rows(**arguments)


def test_tasks_are_numbered_by_name_and_unknown_ones_are_minus_one() -> None:
    rows = checked_rows(np.ones((3, 1)), np.zeros(3), ["c", "a", "c"], None, kind="regression")
    assert rows.tasks.tolist() == [1, 0, 1]
    assert task_codes(["a", "b", "z", "c"], rows.names).tolist() == [0, -1, -1, 1]
    assert rows.take(np.array([True, False, False])).n_tasks == 2


def test_dummies_keep_their_range_and_constants_become_zero() -> None:
    numbers = np.random.default_rng(0).normal(5, 3, size=20)
    rare = np.arange(20) == 7
    inputs = np.column_stack([numbers, rare, np.full(20, 0.1)])
    scaled = Scaling.of(inputs)(inputs)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled[:, 0].std(), 1)
    np.testing.assert_allclose(np.ptp(scaled[:, 1]), 1)
    assert (scaled[:, 2] == 0).all()


def test_sums_by_task_with_tasks_that_have_no_row() -> None:
    values = np.arange(8.0).reshape(4, 2)
    sums = sums_by_task(values, np.array([2, 0, 2, 0]), 4)
    assert sums.tolist() == [[8, 10], [0, 0], [4, 6], [0, 0]]


def test_sums_by_task_read_rows_once_in_any_order() -> None:
    """No sorting and no copy of the rows: that cost most of a fit to hundreds of thousands."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(50, 3))
    tasks = generator.integers(7, size=50)
    wanted = np.zeros((7, 3))
    np.add.at(wanted, tasks, values)
    np.testing.assert_allclose(sums_by_task(values, tasks, 7), wanted)
    n_rows = 40_000
    many = np.ones((n_rows, 20))
    tracemalloc.start()
    sums_by_task(many, np.arange(n_rows) % 3, 3)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert highest < many.nbytes / 2


def test_losses_are_squares_and_negative_log_likelihoods() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(2, size=9).astype(float)
    odds = generator.normal(size=9)
    wanted = log_loss(labels, 1 / (1 + np.exp(-odds)))
    np.testing.assert_allclose(row_losses(odds, labels, "binary").mean(), wanted)
    logits = generator.normal(size=(9, 3))
    classes = generator.integers(3, size=9).astype(float)
    rows = checked_rows(logits, classes, np.zeros(9), None, kind="multiclass", n_classes=3)
    wanted = -(one_vs_rest(rows) * log_softmax(logits, axis=1)).sum(axis=1)
    np.testing.assert_allclose(row_losses(logits, classes, "multiclass"), wanted)
    np.testing.assert_allclose(row_losses(odds, labels, "regression"), (odds - labels) ** 2)
