"""Partially pooled means against their closed form and against the truth."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.models.credibility import Credibility, blocks_of


def test_the_strength_is_the_ratio_of_anova_variances() -> None:
    # equal tasks of 4 rows: the between-variance is that of the means less within / 4
    values = np.random.default_rng(0).normal(size=(6, 4)) + 3 * np.arange(6)[:, None]
    tasks = np.repeat(np.arange(6), 4)
    found = Credibility.of(values.ravel(), tasks, np.arange(24), 6)
    within = values.var(axis=1, ddof=1).mean()
    between = values.mean(axis=1).var(ddof=1) - within / 4
    assert found.strength == pytest.approx(within / between)
    weight = 4 / (4 + within / between)
    expected = weight * values.mean(axis=1) + (1 - weight) * values.mean()
    np.testing.assert_allclose(found.means(), expected)


def test_a_mean_without_a_row_is_that_of_the_other_rows() -> None:
    values = np.array([1.0, 2.0, 6.0, 5.0, 7.0])
    tasks = np.array([0, 0, 1, 1, 1])
    blocks = blocks_of(tasks, np.array([0, 1, 2, 2, 3]))
    found = Credibility(np.array([3.0, 18.0]), np.array([2.0, 3.0]), 4.0, 2.0)
    without = found.means_without_own(values, tasks, blocks)
    # (2 + 8) / 3, (1 + 8) / 3; the third and fourth row are of one unit: (7 + 8) / 3
    np.testing.assert_allclose(without, [10 / 3, 3, 5, 5, (11 + 8) / 4])


def test_it_is_nearer_to_the_truth_than_either_end() -> None:
    random = np.random.default_rng(1)
    rows = np.repeat([2, 5, 30], 40)
    tasks = np.repeat(np.arange(120), rows)
    truth = random.normal(5, 1, 120)
    values = truth[tasks] + 2 * random.normal(size=len(tasks))
    found = Credibility.of(values, tasks, np.arange(len(tasks)), 120)
    assert 1 < found.strength < 16
    own = np.bincount(tasks, values) / rows

    def error(means: np.ndarray) -> float:
        return float(((means - truth) ** 2).mean())

    assert error(found.means()) < min(error(own), error(np.full(120, values.mean())))


def test_tasks_that_differ_by_chance_alone_have_one_mean() -> None:
    values = np.tile([0.0, 2.0], 10)
    found = Credibility.of(values, np.repeat(np.arange(5), 4), np.arange(20), 7)
    assert np.isinf(found.strength)
    assert found.means().tolist() == [1.0] * 7
