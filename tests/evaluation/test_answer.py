"""The sentence says what the numbers allow, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from softshare.evaluation.answer import answer
from tests.evaluation.made_records import record, runs


def test_a_clear_gain_is_told_with_the_interval_adjusted_for_the_choice():
    half = stats.t.ppf(1 - 0.025 / 2, 4) * 0.01 * np.std(np.linspace(-1, 1, 5), ddof=1) / np.sqrt(5)
    low, high = 100 * (0.05 - half), 100 * (0.05 + half)
    assert answer(runs({"tied": 0.05, "tucker": 0.02}, scatter=0.01)) == (
        f"Learning together beats learning apart by 5.0 points of ROC-AUC [{low:.1f}, "
        f"{high:.1f}] with tied "
        "(95 % interval over 5 splits and starts, adjusted for the choice among 2)."
    )


def test_a_gain_that_is_shown_is_told_before_a_greater_one_that_is_not():
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
    ({"tied": -0.0002}, "No difference shown: tied loses 0.02 points of ROC-AUC"),
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
    assert "by 8.3 % [" in answer(runs({"tied": 0.05}, metric={"a": "roc_auc", "b": "accuracy"}))


def test_of_several_fractions_the_largest_is_told_and_named():
    records = runs({"tied": 0.05}, fraction=0.1) + runs({"tied": 0.01}, fraction=0.5)
    assert (
        "by 1.0 points of ROC-AUC [0.9, 1.1] with tied at 50 % of the training data (95 % interval "
        "over 5 splits and starts)"
    ) in answer(records)


def test_one_seed_claims_nothing():
    assert answer(runs({"tied": 0.05}, seeds=1, scatter=0)) == (
        "One seed shows a direction, no more: tied gains 5.0 points of ROC-AUC over learning "
        "apart; five seeds tell more."
    )


def test_two_seeds_claim_nothing_and_say_how_many_would():
    told = answer(runs({"tied": 0.05}, seeds=2, scatter=0.05))
    assert told.startswith("Two seeds show a direction, no more: tied gains 5.0 points of ROC-AUC")
    assert "[" not in told
    assert "about 11 seeds in all would decide" in told  # t(0.975, 10) √(2 · 0.05² / 11) < 0.05


def test_seeds_that_all_gave_the_same_claim_nothing():
    told = answer(runs({"tied": -0.25}, scatter=0, seeds=3))
    assert told.startswith(
        "Seeds that gave the same show a direction, no more: tied loses 25.0 points"
    )


def test_it_is_said_what_the_interval_covers():
    def given(records, **parts):
        return [
            {**record, **parts, "data": {**record["data"], "test_part": "given"}}
            for record in records
        ]

    records = runs({"tied": 0.05})
    assert "other test rows than the given may tell otherwise" in answer(given(records))
    values = np.random.default_rng(0).normal(0.5, 0.001, 100)
    by_task = {task: {"units": 30, "values": values} for task in "ab"}
    lifted = {task: {"units": 30, "values": 1.1 * values} for task in "ab"}
    told = given(records[:5], resampled=by_task) + given(records[5:], resampled=lifted)
    assert "(95 % interval over the given test rows and 5 starts)" in answer(told)


def test_without_a_pair_nothing_is_compared():
    assert answer(runs({})).startswith("Nothing to compare")
    assert answer(runs({"tied": 0.1})[5:]).startswith(
        "No gain can be told: independent learning has no finished run"
    )
