"""Intervals cover what they say, whatever the variances are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from softshare.evaluation.intervals import MIN_SEEDS, half_widths, moderated, seeds_to_decide


def halves(variances, df, n_seeds, rows=0.0, rows_df=0.0, level=0.95):
    return half_widths(
        np.asarray(variances, dtype=float),
        np.asarray(df, dtype=float),
        np.asarray(n_seeds),
        rows=np.asarray(rows, dtype=float),
        rows_df=np.asarray(rows_df, dtype=float),
        level=level,
    )


def test_without_test_rows_it_is_the_t_interval():
    gains = np.array([0.1, 0.12, 0.05, 0.07])
    interval = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    half = halves(gains.var(ddof=1), 3, 4)
    assert half == pytest.approx((interval.high - interval.low) / 2)


@pytest.mark.parametrize(("variance", "n_seeds"), [(0.0, 5), (1.0, 1), (1.0, 2)])
def test_no_width_and_few_seeds_give_no_interval(variance, n_seeds):
    assert np.isnan(halves(variance, n_seeds - 1, n_seeds))


def test_test_rows_widen_it():
    assert halves(1.0, 4, 5, rows=0.5, rows_df=99) > halves(1.0, 4, 5)
    # all the variance is that of many rows: nearly the normal interval
    assert halves(0.0, 4, 5, rows=1.0, rows_df=1e6) == pytest.approx(1.96, abs=1e-3)


@pytest.mark.parametrize("prior_df", [3.0, 12.0, np.inf])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_moderated_intervals_cover_the_mean_as_often_as_they_say(prior_df, n_seeds):
    """Tasks whose true variances differ as the model says, or not at all."""
    random = np.random.default_rng(0)
    n_tasks, repeats = 12, 300
    covered = []
    for _ in range(repeats):
        scatter = np.ones(n_tasks)
        if np.isfinite(prior_df):
            scatter = np.sqrt(prior_df / random.chisquare(prior_df, n_tasks))
        gains = random.normal(0, 1, (n_seeds, n_tasks)) * scatter
        variances, df = moderated(gains.var(axis=0, ddof=1), np.full(n_tasks, n_seeds - 1.0))
        half = halves(variances, df, np.full(n_tasks, n_seeds), np.zeros(n_tasks), 0 * df)
        covered.append(np.abs(gains.mean(axis=0)) < half)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_tasks_alike_in_scatter_are_pooled_and_tasks_unlike_are_not():
    random = np.random.default_rng(1)
    df = np.full(200, 4.0)
    alike = random.chisquare(4, 200) / 4
    variances, now = moderated(alike, df)
    assert np.ptp(variances) < 0.2 * np.ptp(alike)
    assert now.min() > 20
    unlike = alike * np.repeat([1e-4, 1e4], 100)
    variances, now = moderated(unlike, df)
    assert now.max() < 6
    assert np.corrcoef(np.log(variances), np.log(unlike))[0, 1] > 0.99


def test_a_variance_of_zero_is_drawn_away_from_it():
    variances, _ = moderated(np.array([0.0, 0.0, 1.0, 1.2, 0.8, 1.1, 0.9]), np.full(7, 2.0))
    assert variances.min() > 0.5


def test_few_tasks_keep_their_own():
    variances, df = moderated(np.array([1.0, 4.0]), np.array([4.0, 4.0]))
    assert list(variances) == [1.0, 4.0]
    assert list(df) == [4.0, 4.0]


def test_the_prior_is_found_again():
    """s₀² and d₀ of many tasks drawn from the model."""
    random = np.random.default_rng(2)
    true = 2.0 * 8 / random.chisquare(8, 20_000)  # s₀² = 2, d₀ = 8
    _, df = moderated(true * random.chisquare(4, 20_000) / 4, np.full(20_000, 4.0))
    assert df[0] - 4 == pytest.approx(8, rel=0.1)


def test_seeds_that_decide_are_the_fewest_whose_interval_excludes_zero():
    needed = seeds_to_decide(0.5, 1.0, 0.0, level=0.95)
    width = [stats.t.ppf(0.975, n - 1) / np.sqrt(n) for n in (needed - 1, needed)]
    assert width[1] < 0.5 <= width[0]
    assert seeds_to_decide(9.0, 1.0, 0.0, level=0.95) == MIN_SEEDS
    assert seeds_to_decide(0.5, 1.0, 1.0, level=0.95) is None
    assert seeds_to_decide(0.0, 1.0, 0.0, level=0.95) is None
