"""How much of what the networks of several folds say is added to their base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from softshare.methods.fold_weight import useful_folds, weight_of
from softshare.tasks.task_set import TaskSet


def test_a_network_that_says_no_more_of_its_fold_than_the_base_is_of_no_use() -> None:
    """Of two rows a fold: one loses what the other gains; both gain; a row that counts twice."""
    zeros = np.zeros(6)
    tasks = TaskSet.from_arrays({"a": (np.zeros((6, 1)), zeros)}, kinds="regression")
    base = np.ones((6, 1))
    whole = np.sqrt([[0.0], [2.0], [0.5], [0.5], [0.2], [1.7]])
    fold = np.array([0, 0, 1, 1, 2, 2])
    assert useful_folds(tasks, base, whole, fold).tolist() == [False, True, True]
    counted = replace(tasks, weights=np.array([1.0, 1, 1, 1, 1, 2]))
    assert useful_folds(counted, base, whole, fold).tolist() == [False, True, False]


@pytest.mark.parametrize("best", [-0.4, 0.0, 0.003, 0.37, 0.997, 1.0, 1.8])
def test_of_what_networks_add_as_much_is_taken_as_does_best(best: float) -> None:
    """Squared errors are least at the projection of what is missing on what is added."""
    random = np.random.default_rng(0)
    base, added = random.normal(size=(2, 5000, 1))
    tasks = TaskSet.from_arrays({"a": (np.zeros((5000, 1)), np.zeros(5000))}, kinds="regression")
    noise = random.normal(size=(5000, 1))
    noise -= added * (added * noise).sum() / (added * added).sum()
    tasks.targets[:] = (base + best * added + noise)[:, 0]
    found = weight_of(tasks, base, base + added)
    assert found == pytest.approx(np.clip(best, 0, 1) * 5000 / 5020, abs=3e-3)


def test_what_few_rows_say_of_the_weight_is_trusted_by_its_standard_error() -> None:
    """Four rows, of which one gains 7, one loses 1: a mean gain of 1.5 where all is added, and a
    standard error of √((5.5² + 2.5² + 1.5² + 1.5²) / 16). Twenty rows before say that nothing is
    gained.
    """
    tasks = TaskSet.from_arrays({"a": (np.zeros((4, 1)), np.zeros(4))}, kinds="regression")
    base = np.array([[4.0], [1.0], [1.0], [1.0]])
    whole = np.array([[3.0], [np.sqrt(2)], [1.0], [1.0]])
    error = np.sqrt((5.5**2 + 2.5**2 + 2 * 1.5**2) / 16)
    expected = (2 * norm.cdf(1.5 / error) - 1) * 4 / 24
    assert weight_of(tasks, base, whole) == pytest.approx(expected, rel=1e-5)


def test_targets_of_one_row_scatter_together() -> None:
    """Twice the same column is no more evidence than once."""
    rows = np.zeros((4, 1))
    base = np.array([[4.0], [1.0], [1.0], [1.0]])
    whole = np.array([[3.0], [np.sqrt(2)], [1.0], [1.0]])
    once = TaskSet.from_arrays({"a": (rows, np.zeros(4))}, kinds="regression")
    columns = {"a": np.zeros(4), "b": np.zeros(4)}
    twice = TaskSet.from_shared_inputs(rows, columns, kinds="regression")
    of_twice = weight_of(twice, np.vstack([base, base]), np.vstack([whole, whole]))
    assert of_twice == pytest.approx(weight_of(once, base, whole))


@pytest.mark.parametrize(("rows", "share"), [(20, 0.5), (180, 0.9)])
def test_a_sure_gain_counts_by_the_rows_that_bear_it_out(rows: int, share: float) -> None:
    """Of every row all that is missing is added; rows of one group are one."""
    targets = np.zeros(rows)
    base, whole = np.ones((rows, 1)), np.zeros((rows, 1))
    inputs = np.zeros((rows, 1))
    tasks = TaskSet.from_arrays({"a": (inputs, targets)}, kinds="regression")
    assert weight_of(tasks, base, whole) == pytest.approx(share)
    grouped = replace(tasks, groups=(np.arange(rows) % 5,))
    assert weight_of(grouped, base, whole) == pytest.approx(0.2)
