"""Weights are trusted by as much as they gain beside the scatter of that gain."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow import trust as trust_module
from softshare.shallow.common_weights import Goal
from softshare.shallow.trust import borne_out, trust, trusted_weights


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


def test_a_gain_counts_by_its_standard_error() -> None:
    """Φ(1) = 0.8413447."""
    assert trust(2.0, 2.0) == pytest.approx(2 * 0.8413447 - 1)
    assert trust(1.0, 0.0) == 1
    assert trust(-1.0, 0.0) == 0
    assert borne_out(30) == pytest.approx(0.6)


def test_groups_are_counted_where_rows_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gain of one standard error by 20 rows is half of one beside 20 more, and Φ(½) = 0.6914625;
    by five groups it is a fifth of one, and Φ(⅕) = 0.5792597. What is sure is trusted whole.
    """
    monkeypatch.setattr(trust_module, "gain_and_error", lambda *_, **__: (0.3, 0.3))
    outputs, targets, tasks = made(20, 0.5)
    goal = Goal("regression", "r2", pooled=0, random_state=0)
    weights = np.array([0.0, 1.0])
    found = trusted_weights(weights, outputs, targets, tasks, goal)
    assert found[1] == pytest.approx(2 * 0.6914625 - 1)
    groups = np.arange(20) % 5
    grouped = trusted_weights(weights, outputs, targets, tasks, goal, groups=groups)
    assert grouped[1] == pytest.approx(2 * 0.5792597 - 1)
    monkeypatch.setattr(trust_module, "gain_and_error", lambda *_, **__: (0.3, 0.003))
    sure = trusted_weights(weights, outputs, targets, tasks, goal, groups=groups)
    assert sure[1] == pytest.approx(1)
