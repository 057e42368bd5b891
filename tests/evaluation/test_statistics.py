"""Gains and intervals against SciPy and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from softshare.evaluation.intervals import half_widths, moderated
from softshare.evaluation.statistics import (
    ALL,
    COLUMNS,
    estimates,
    leaderboard,
    standings,
    summarise,
    verdicts,
)
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
    ("metric", "sign"),
    [
        ("roc_auc", 1),
        ("balanced_error", -1),
        ("rmse", -1),
        ("r2", 1),
        ("average_precision", 1),
        ("macro_f1", 1),
        ("log_loss", -1),
        ("brier", -1),
        ("ece", -1),
        ("mae", -1),
    ],
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
    apart = {**APART, 3: {"a": 0.70, "b": 0.50}}
    together = {**TOGETHER, 1: {"a": None, "b": 0.50}, 3: {"a": 0.81, "b": 0.48}}
    summary = summarise(records(apart=apart, together=together))
    found = row(summary, "tied", "a")
    test = stats.ttest_rel([0.80, 0.78, 0.81], [0.70, 0.69, 0.70])
    assert (found["gain"], found["ci_low"], found["ci_high"]) == pytest.approx(
        (0.1, *test.confidence_interval(0.95))
    )
    assert found["n_seeds"] == 3
    assert row(summary, "tied", "b")["n_seeds"] == 4


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


def with_gains(gains, *, tasks, metric="accuracy"):
    """Records of one method whose tasks gain so much with each seed, ``(seeds, tasks)``."""
    runs = []
    for seed, row_of_seed in enumerate(gains):
        runs.append(record("independent", seed, dict.fromkeys(tasks, 0.5), metric=metric))
        values = {task: 0.5 + gain for task, gain in zip(tasks, row_of_seed, strict=True)}
        runs.append(record("tied", seed, values, metric=metric))
    return runs


def test_two_seeds_give_a_direction_and_no_interval():
    summary = summarise(with_gains([[0.1, 0.2], [0.3, -0.2]], tasks="ab"))
    assert summary["ci_low"].isna().all()
    assert row(summary, "tied", "a")["gain"] == pytest.approx(0.2)


def test_equal_gains_have_no_interval_and_count_as_undecided():
    summary = summarise(with_gains(np.full((3, 1), -1 / 3), tasks="a"))
    found = row(summary, "tied", "a")
    assert np.isnan(found["ci_low"])
    assert list(verdicts(summary)) == ["undecided"] * len(summary)


def test_tasks_whose_seeds_agree_by_chance_have_the_scatter_of_the_others():
    """Three test rows a task: gains are thirds, and some tasks have the same in every seed."""
    random = np.random.default_rng(0)
    gains = random.integers(-1, 2, (3, 12)) / 3
    gains[:, 0] = -1 / 3
    tasks = [f"t{number}" for number in range(12)]
    summary = summarise(with_gains(gains, tasks=tasks))
    found = row(summary, "tied", "t0")
    variances, df = moderated(gains.var(axis=0, ddof=1), np.full(12, 2.0))
    half = half_widths(variances, df, np.full(12, 3), rows=0 * df, rows_df=0 * df, level=0.95)
    assert found["ci_high"] - found["gain"] == pytest.approx(half[0])
    assert half[0] > 0.2


def test_harmless_methods_hurt_as_many_tasks_as_chance_allows():
    random = np.random.default_rng(0)
    tasks = [f"t{number}" for number in range(40)]
    hurt = []
    for _ in range(30):
        correct = random.binomial(5, 0.5, (2, 3, 40)) / 5  # five test rows, three seeds
        summary = summarise(with_gains(correct[0] - correct[1], tasks=tasks))
        hurt.append((summary["ci_high"] < 0).sum() / 40)
    assert np.mean(hurt) < 0.04


def test_the_first_is_what_is_shown_to_help_and_then_the_greatest_gain():
    offsets = np.linspace(-1, 1, 5)
    runs = [record("independent", seed, {"a": 0.5}) for seed in range(5)]
    scatter = {"sure": (0.02, 0.001), "wild": (0.05, 0.2), "mild": (0.03, 0.2), "bad": (-0.1, 0.01)}
    for method, (gain, width) in scatter.items():
        for seed, offset in enumerate(offsets):
            runs.append(record(method, seed, {"a": 0.5 + gain + width * offset}))
    found = standings(estimates(runs))
    assert list(found["method"]) == ["sure", "wild", "mild", "bad"]
    assert list(found["verdict"]) == ["helped", "undecided", "undecided", "hurt"]
    assert set(found["compared"]) == {4}
    assert found["level"].to_numpy() == pytest.approx(1 - 0.05 / 4)


def test_the_leaderboard_has_the_best_first_and_the_baseline_last():
    board = leaderboard(records())
    assert board["method"].iloc[-1] == "independent"
    best = standings(estimates(records()))["method"].iloc[0]
    assert board["method"].iloc[0] == best


def test_the_leaderboard_counts_helped_and_hurt_tasks_and_costs():
    board = leaderboard(records()).set_index("method")
    assert (board.loc["tied", "helped"], board.loc["tied", "hurt"]) == (1, 1)
    assert (board.loc["independent", "helped"], board.loc["independent", "hurt"]) == (0, 0)
    assert (board.loc["tied", "parameters"], board.loc["tied", "seconds"]) == (100, 2.0)


def test_no_records_make_an_empty_summary():
    assert list(summarise([]).columns) == list(COLUMNS)
