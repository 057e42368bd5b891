"""Gains and intervals against SciPy and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from softshare.evaluation.statistics import ALL, COLUMNS, leaderboard, mean_interval, summarise
from tests.evaluation.made_records import record

APART = {0: {"a": 0.70, "b": 0.50}, 1: {"a": 0.72, "b": 0.54}, 2: {"a": 0.69, "b": 0.52}}
TOGETHER = {0: {"a": 0.80, "b": 0.48}, 1: {"a": 0.83, "b": 0.50}, 2: {"a": 0.78, "b": 0.49}}


def records(metric="roc_auc", apart=APART, together=TOGETHER):
    rows = [record("independent", seed, values, metric=metric) for seed, values in apart.items()]
    return rows + [record("tied", seed, values, metric=metric) for seed, values in together.items()]


def row(summary: pd.DataFrame, method: str, task: str) -> pd.Series:
    (found,) = [
        line for _, line in summary.iterrows() if (line["method"], line["task"]) == (method, task)
    ]
    return found


@pytest.mark.parametrize(
    ("metric", "sign"), [("roc_auc", 1), ("balanced_error", -1), ("rmse", -1), ("r2", 1)]
)
@pytest.mark.parametrize("task", ["a", "b"])
def test_gain_and_interval_are_those_of_a_paired_t_test(metric, sign, task):
    apart = [values[task] for values in APART.values()]
    together = [values[task] for values in TOGETHER.values()]
    test = stats.ttest_rel(together, apart) if sign > 0 else stats.ttest_rel(apart, together)
    low, high = test.confidence_interval(0.95)
    found = row(summarise(records(metric)), "tied", task)
    assert found["gain"] == pytest.approx(sign * (np.mean(together) - np.mean(apart)))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high))
    assert (found["mean"], found["std"], found["n_seeds"]) == pytest.approx(
        (np.mean(together), np.std(together, ddof=1), 3)
    )


def test_all_is_the_mean_over_tasks_seed_by_seed():
    apart = [0.60, 0.63, 0.605]
    together = [0.64, 0.665, 0.635]
    low, high = stats.ttest_rel(together, apart).confidence_interval(0.95)
    found = row(summarise(records()), "tied", ALL)
    assert found["metric"] == "roc_auc"
    assert (found["mean"], found["std"]) == pytest.approx(
        (np.mean(together), np.std(together, ddof=1))
    )
    assert (found["gain"], found["ci_low"], found["ci_high"]) == pytest.approx((0.035, low, high))


def test_with_several_metrics_all_is_the_mean_relative_gain_and_has_no_mean():
    found = row(summarise(records({"a": "roc_auc", "b": "rmse"})), "tied", ALL)
    relative = [
        (0.10 / 0.70 + 0.02 / 0.50) / 2,
        (0.11 / 0.72 + 0.04 / 0.54) / 2,
        (0.09 / 0.69 + 0.03 / 0.52) / 2,
    ]
    assert found["metric"] == "relative"
    assert np.isnan(found["mean"])
    assert np.isnan(found["std"])
    assert found["n_seeds"] == 3
    assert found["gain"] == pytest.approx(np.mean(relative))
    assert found["ci_high"] - found["gain"] == pytest.approx(
        stats.t.ppf(0.975, 2) * np.std(relative, ddof=1) / np.sqrt(3)
    )


def test_a_baseline_of_zero_is_left_out_of_relative_gains():
    apart = {seed: {"a": 0.5, "b": 0.0} for seed in range(3)}
    together = {seed: {"a": 0.6, "b": 0.1} for seed in range(3)}
    found = row(summarise(records({"a": "roc_auc", "b": "rmse"}, apart, together)), "tied", ALL)
    assert found["gain"] == pytest.approx(0.2)


def test_independent_learning_has_no_gain():
    summary = summarise(records())
    assert tuple(summary.columns) == COLUMNS
    assert (
        summary.loc[summary["method"] == "independent", ["gain", "ci_low", "ci_high"]]
        .isna()
        .all()
        .all()
    )
    assert list(summary["task"]) == ["a", "b", ALL] * 2


def test_one_seed_has_a_gain_and_no_interval():
    found = row(
        summarise([record("independent", 0, APART[0]), record("tied", 0, TOGETHER[0])]), "tied", "a"
    )
    assert found["gain"] == pytest.approx(0.1)
    assert np.isnan([found["std"], found["ci_low"], found["ci_high"]]).all()
    assert found["n_seeds"] == 1


def test_a_missing_value_leaves_out_its_seed_only():
    together = {**TOGETHER, 1: {"a": None, "b": 0.50}}
    found = row(summarise(records(together=together)), "tied", "a")
    low, high = stats.ttest_rel([0.80, 0.78], [0.70, 0.69]).confidence_interval(0.95)
    assert (found["gain"], found["ci_low"], found["ci_high"]) == pytest.approx((0.095, low, high))
    assert found["n_seeds"] == 2
    assert row(summarise(records(together=together)), "tied", "b")["n_seeds"] == 3


def test_a_diverged_run_leaves_out_its_seed():
    runs = [
        *records(),
        record("tied", 3, dict.fromkeys("ab"), error="the loss of task 'a' became nan at step 7"),
        record("independent", 3, APART[0]),
    ]
    assert row(summarise(runs), "tied", ALL)["gain"] == pytest.approx(0.035)
    assert row(summarise(runs), "tied", ALL)["n_seeds"] == 3


def test_seeds_are_paired_whatever_their_order():
    pd.testing.assert_frame_equal(summarise(records()), summarise(records()[::-1]))


def test_fractions_are_compared_with_the_baseline_of_their_own():
    values = {
        ("independent", 0.1): 0.5,
        ("tied", 0.1): 0.6,
        ("independent", 1.0): 0.8,
        ("tied", 1.0): 0.79,
    }
    runs = [
        record(method, seed, {"a": value + seed / 100}, fraction=fraction)
        for seed in range(3)
        for (method, fraction), value in values.items()
    ]
    summary = summarise(runs)
    assert list(summary["fraction"].unique()) == [0.1, 1.0]
    gains = summary[(summary["method"] == "tied") & (summary["task"] == "a")].set_index("fraction")[
        "gain"
    ]
    assert gains.to_dict() == pytest.approx({0.1: 0.1, 1.0: -0.01})


def test_the_baseline_may_be_missing():
    summary = summarise([record("tied", seed, values) for seed, values in TOGETHER.items()])
    assert summary["gain"].isna().all()
    assert row(summary, "tied", "a")["mean"] == pytest.approx(np.mean([0.80, 0.83, 0.78]))


def test_equal_gains_have_an_interval_of_no_width():
    found = mean_interval(pd.DataFrame({"x": [0.25, 0.25, 0.25]})).loc["x"]
    assert tuple(found) == (0.25, 0.25, 0.25)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    draws = pd.DataFrame(np.random.default_rng(0).normal(1.0, 2.0, (5, 20_000)))
    for level in (0.8, 0.95, 0.99):
        found = mean_interval(draws, level=level)
        covered = ((found["ci_low"] < 1) & (found["ci_high"] > 1)).mean()
        assert covered == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 20_000))


def test_the_leaderboard_counts_helped_and_hurt_tasks_and_costs():
    board = leaderboard(records()).set_index("method")
    assert (board.loc["tied", "helped"], board.loc["tied", "hurt"]) == (1, 1)
    assert (board.loc["independent", "helped"], board.loc["independent", "hurt"]) == (0, 0)
    assert (board.loc["tied", "parameters"], board.loc["tied", "seconds"]) == (100, 2.0)


def test_no_records_make_an_empty_summary():
    assert list(summarise([]).columns) == list(COLUMNS)
