"""The sentence says what the numbers allow, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from softshare.evaluation.answer import answer, cautions
from tests.evaluation.made_records import record


def runs(
    gains, *, seeds=5, scatter=0.001, metric="roc_auc", sign=1, fraction=1.0, tasks=("a", "b")
):
    """Records of methods with these mean gains and a little scatter, the same for every task."""
    offsets = scatter * np.linspace(-1, 1, seeds)
    rows = [
        record("independent", seed, dict.fromkeys(tasks, 0.5), metric=metric, fraction=fraction)
        for seed in range(seeds)
    ]
    for method, gain in gains.items():
        rows += [
            record(
                method,
                seed,
                dict.fromkeys(tasks, 0.5 + sign * (gain + offset)),
                metric=metric,
                fraction=fraction,
            )
            for seed, offset in enumerate(offsets)
        ]
    return rows


def test_a_clear_gain_is_told_with_the_interval_adjusted_for_the_choice():
    half = stats.t.ppf(1 - 0.025 / 2, 4) * 0.01 * np.std(np.linspace(-1, 1, 5), ddof=1) / np.sqrt(5)
    low, high = 100 * (0.05 - half), 100 * (0.05 + half)
    assert answer(runs({"tied": 0.05, "tucker": 0.02}, scatter=0.01)) == (
        f"Learning together beats learning apart by 5.0 points of ROC-AUC [{low:.1f}, "
        f"{high:.1f}] with tied "
        "(95 % interval, adjusted for the choice among 2)."
    )


def test_the_largest_gain_that_is_shown_is_told_not_the_largest_gain():
    records = runs({"tucker": 0.02}) + runs({"tied": 0.05}, scatter=0.2)[5:]
    assert "with tucker" in answer(records)


def test_the_best_of_many_idle_methods_is_no_finding():
    """Among methods without effect the best one's own interval often excludes 0; the sentence must
    not.
    """
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(40):
        records = [record("independent", seed, {"a": 0.0}, metric="r2") for seed in range(5)]
        records += [
            record(f"m{method}", seed, {"a": random.normal()}, metric="r2")
            for method in range(12)
            for seed in range(5)
        ]
        wrong += not answer(records).startswith("No difference shown")
    assert (
        wrong <= 6
    )  # 5 % of 40, and three standard deviations; unadjusted intervals would give some 18


@pytest.mark.parametrize(("gains", "opening"), [
    ({"tied": 0.0}, "No difference shown: tied gains 0.0"),
    ({"tied": 0.0, "tucker": -0.1}, "No difference shown: the best of 2, tied, gains 0.0"),
    ({"tied": -0.02, "tucker": -0.1}, "Sharing hurts: the best of 2, tied, loses 2.0"),
])  # fmt: skip
def test_no_gain_is_called_none_and_harm_is_called_harm(gains, opening):
    assert answer(runs(gains)).startswith(opening)


def test_a_lower_error_is_a_gain():
    assert "by 5.0 points of balanced error" in answer(
        runs({"tied": 0.05}, metric="balanced_error", sign=-1)
    )
    assert "by 0.050 of RMSE in standard deviations of the target" in answer(
        runs({"tied": 0.05}, metric="rmse", sign=-1)
    )


def test_mixed_metrics_are_told_in_per_cent():
    assert "by 10.0 % [" in answer(runs({"tied": 0.05}, metric={"a": "roc_auc", "b": "accuracy"}))


def test_the_fraction_is_named():
    records = runs({"tied": 0.05}, fraction=0.1) + runs({"tied": 0.01}, fraction=0.5)
    assert (
        "with tied at 10 % of the training data (95 % interval, adjusted for the choice among 2)"
        in answer(records)
    )


def test_one_seed_claims_nothing():
    assert answer(runs({"tied": 0.05}, seeds=1, scatter=0)) == (
        "One seed shows no more than a direction: tied gains 5.0 points of ROC-AUC over "
        "learning apart."
    )
    assert any(
        "one seed gives no intervals" in line for line in cautions(runs({"tied": 0.05}, seeds=1))
    )


def test_without_a_pair_nothing_is_compared():
    assert answer(runs({})).startswith("Nothing to compare")
    assert answer(runs({"tied": 0.1})[5:]).startswith(
        "No gain can be told: independent learning has no finished run"
    )


def test_hurt_tasks_are_named_the_worst_first():
    records = runs({"tied": 0.0}, tasks=("a", "b", "c"))
    for row in records[5:]:
        row["metrics"]["test"]["b"]["roc_auc"] -= 0.02
        row["metrics"]["test"]["c"]["roc_auc"] -= 0.05
    (line,) = cautions(records)
    assert line.startswith("tied hurts all tasks together, by 2.3 points of ROC-AUC [")
    assert "; and 2 of 3 tasks: c (−5.0 points of ROC-AUC [" in line
    assert line.index("c (") < line.index("b (")


def test_of_many_tasks_it_is_said_what_chance_would_show():
    tasks = [f"t{number}" for number in range(40)]
    assert (
        "40 of 40 tasks (chance alone would show about 1)"
        in cautions(runs({"tied": -0.1}, tasks=tasks))[0]
    )


def test_diverged_runs_are_told():
    records = [
        *runs({"tied": 0.0}),
        record("tied", 9, {"a": None, "b": None}, error="the loss became nan"),
    ]
    assert "1 of 11 runs diverged and are left out: tied-f1-s9 (the loss became nan)" in cautions(
        records
    )
