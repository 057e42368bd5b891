"""Weights are trusted by as much as they gain beside the scatter of that gain."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.common_weights import Goal
from softshare.shallow.trust import trust, trusted_weights


def made(n_rows: int, better: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A pooled contestant that misses by as much as the other one times ``better``."""
    generator = np.random.default_rng(1)
    targets = generator.normal(size=n_rows)
    noise = generator.normal(size=(n_rows, 2)) * (better, 1.0)
    return targets[:, None] + noise, targets, np.arange(n_rows) % 5


@pytest.mark.parametrize("n_rows", [20, 2000])
def test_what_gains_nothing_is_not_trusted_however_many_rows_there_are(n_rows: int) -> None:
    outputs, targets, tasks = made(n_rows, 0.8)
    goal = Goal("regression", "mean-rmse", pooled=0, random_state=0)
    found = trusted_weights(np.array([0.0, 1.0]), outputs, targets, tasks, goal)
    np.testing.assert_array_equal(found, [1.0, 0.0])


def test_a_gain_is_trusted_more_the_more_rows_show_it() -> None:
    goal = Goal("regression", "mean-rmse", pooled=0, random_state=0)
    parts = []
    for n_rows in (25, 100, 2000):
        outputs, targets, tasks = made(n_rows, 1.15)
        found = trusted_weights(np.array([0.0, 1.0]), outputs, targets, tasks, goal)
        parts.append(found[1])
        assert found.sum() == pytest.approx(1)
    assert parts[0] < parts[1] < parts[2]
    assert parts[2] > 0.95


def test_rows_of_one_group_show_no_more_than_one_row() -> None:
    outputs, targets, tasks = made(25, 1.15)
    goal = Goal("regression", "r2", pooled=0, random_state=0)
    weights = np.array([0.0, 1.0])
    single = trusted_weights(weights, outputs, targets, tasks, goal)
    copies = [np.repeat(each, 40, axis=0) for each in (outputs, targets, tasks)]
    groups = np.repeat(np.arange(25), 40)
    grouped = trusted_weights(weights, *copies, goal, groups=groups)
    as_rows = trusted_weights(weights, *copies, goal)
    assert grouped[1] == pytest.approx(single[1], abs=0.05)
    assert as_rows[1] > grouped[1]


def test_a_gain_counts_by_its_standard_error_and_by_the_rows_that_say_it() -> None:
    """Φ(1) = 0.8413447; of 30 rows, beside the 20 that are taken to have said nothing, three
    fifths.
    """
    assert trust(2.0, 2.0, 30) == pytest.approx((2 * 0.8413447 - 1) * 0.6)
    assert trust(1.0, 0.0, 17) == pytest.approx(17 / 37)
    assert trust(-1.0, 0.0, 1000) == 0


def test_groups_are_counted_where_rows_have_them() -> None:
    """The second contestant is always right, so that only the number is in question."""
    outputs, targets, tasks = made(60, 0.5)
    outputs[:, 1] = targets
    goal = Goal("regression", "r2", pooled=0, random_state=0)
    weights = np.array([0.0, 1.0])
    found = trusted_weights(weights, outputs, targets, tasks, goal)
    assert found[1] == pytest.approx(60 / 80, abs=5e-3)
    groups = np.arange(60) % 10
    grouped = trusted_weights(weights, outputs, targets, tasks, goal, groups=groups)
    assert grouped[1] == pytest.approx(10 / 30, abs=5e-3)
