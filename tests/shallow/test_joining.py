"""Tasks that keep apart: t-tests against SciPy's, and groups that count as one row."""

from __future__ import annotations

import numpy as np
from scipy import stats

from softshare.shallow.common_weights import Goal
from softshare.shallow.joining import hurt_tasks, loss_of_joining


def test_p_values_are_scipy_s_and_few_rows_go_untested() -> None:
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(3), (30, 12, 3))
    worse = generator.normal(size=45) + 0.2
    _, p_values = hurt_tasks(worse, tasks, 4)
    for task in (0, 1):
        test = stats.ttest_1samp(worse[tasks == task], 0, alternative="greater")
        np.testing.assert_allclose(p_values[task], test.pvalue)
    assert np.isnan(p_values[2:]).all()


def test_false_alarms_are_held_as_scipy_adjusts_p_values() -> None:
    generator = np.random.default_rng(1)
    tasks = np.repeat(np.arange(40), 20)
    worse = generator.normal(size=800) + 0.8 * (tasks < 10)
    hurt, p_values = hurt_tasks(worse, tasks, 40)
    np.testing.assert_array_equal(hurt, stats.false_discovery_control(p_values) <= 0.05)
    assert hurt[:10].sum() > 5


def test_a_group_s_mean_counts_as_one_row() -> None:
    generator = np.random.default_rng(2)
    groups = np.repeat([7, 3, 5, 9, 1, 4], (2, 1, 3, 2, 2, 6))
    worse = generator.normal(size=16) + 0.5
    _, p_values = hurt_tasks(worse, np.zeros(16, dtype=int), 1, groups)
    means = [worse[groups == group].mean() for group in np.unique(groups)]
    test = stats.ttest_1samp(means, 0, alternative="greater")
    np.testing.assert_allclose(p_values[0], test.pvalue)


def test_a_few_groups_bad_luck_is_no_harm() -> None:
    # Each of 30 tasks has five persons with twenty visits, and nothing joint is worse on average.
    generator = np.random.default_rng(3)
    groups = np.repeat(np.arange(150), 20)
    tasks = groups // 5
    worse = generator.normal(size=150)[groups] + 0.1 * generator.normal(size=3000)
    by_rows, _ = hurt_tasks(worse, tasks, 30)
    by_groups, _ = hurt_tasks(worse, tasks, 30, groups)
    assert by_rows.sum() > 5
    assert not by_groups.any()


def test_loss_of_joining_leaves_the_apart_contestant_out_of_the_mix() -> None:
    targets = np.random.default_rng(4).normal(size=50)
    # The apart contestant is right, the only joint ones are wrong by 1 and by 2.
    outputs = np.column_stack([targets, targets + 1, targets + 2])
    goal = Goal("regression", "r2", pooled=1, random_state=0)
    worse = loss_of_joining(outputs, targets, np.zeros(50, dtype=int), goal=goal, apart=0)
    np.testing.assert_allclose(worse, 1, atol=1e-6)
