"""Estimates drawn together against closed forms and the truth."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.models.partial_pooling import pooled


def test_equal_noise_has_the_closed_form() -> None:
    values = np.array([1.0, 3.0, 5.0, 11.0])
    found = pooled(values, np.full(4, 2.0), np.full(4, 30))
    # of equal noise τ² is the variance of the values less the noise
    spread = values.var(ddof=1) - 2
    assert found.spread == pytest.approx(np.sqrt(spread))
    assert found.mean == pytest.approx(5.0)
    assert found.mean_variance == pytest.approx(2 / 4)
    own = spread / (spread + 2)
    np.testing.assert_allclose(found.values, 5 + own * (values - 5))
    centre = (spread + 2) / 4
    np.testing.assert_allclose(found.variances, own * 2 + (1 - own) ** 2 * centre)


def test_tasks_that_differ_by_chance_have_one_value() -> None:
    found = pooled(np.array([0.9, 1.0, 1.1]), np.full(3, 1.0), np.array([5, 50, 9]))
    assert found.spread == 0
    np.testing.assert_allclose(found.values, found.mean)


def test_intervals_hold_the_truth_and_few_rows_do_not_shout() -> None:
    random = np.random.default_rng(0)
    rows = np.repeat([5, 20, 80], 20)
    held, loud = [], []
    for _ in range(60):
        truth = random.normal(1, 0.5, 60)
        sample = [random.normal(mean, 2, n) for mean, n in zip(truth, rows, strict=True)]
        values = np.array([each.mean() for each in sample])
        noise = np.array([each.var(ddof=1) / len(each) for each in sample])
        found = pooled(values, noise, rows)
        low, high = found.intervals(0.95).T
        held.append((low < truth) & (truth < high))
        loud.append((found.values[rows == 5].std(), values[rows == 5].std()))
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)
    drawn, raw = np.mean(loud, axis=0)
    assert drawn < 0.5 < raw


def test_what_is_never_noisy_is_certain() -> None:
    found = pooled(np.zeros(3), np.zeros(3), np.array([4, 5, 6]))
    assert found.interval(0.95) == (0.0, 0.0)
    assert not found.intervals(0.95).any()


def test_tasks_judged_by_the_same_rows_do_not_average_noise_away() -> None:
    values, noise, rows = np.zeros(4), np.full(4, 1.0), np.full(4, 20)
    assert pooled(values, noise, rows).mean_variance == pytest.approx(1 / 4)
    assert pooled(values, noise, rows, same_rows=True).mean_variance == pytest.approx(1.0)
