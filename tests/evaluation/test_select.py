"""Trials are judged by validation data, and every method has as many."""

from __future__ import annotations

import pytest

from softshare.evaluation.select import runs_of_search, score
from tests.evaluation.made_records import record


@pytest.mark.parametrize(("trials", "runs"), [(0, 0), (1, 1), (2, 6), (10, 16)])
def test_the_three_best_trials_run_on_two_splits_more(trials, runs):
    assert runs_of_search(trials) == runs


@pytest.mark.parametrize(("metric", "sign"), [("accuracy", 1), ("rmse", -1), ("log_loss", -1)])
def test_a_trial_is_judged_by_the_mean_metric_on_validation_data(metric, sign):
    validation = {
        "a": {metric: 0.2, "loss": 9.0},
        "b": {metric: 0.6, "loss": 9.0},
        "c": {metric: None, "loss": 9.0},
    }
    made = record("m", 0, dict.fromkeys("abc", 0.9), metric=metric, validation=validation)
    assert score(made) == pytest.approx(sign * 0.4)


def test_tasks_of_several_metrics_are_judged_by_their_losses():
    validation = {"a": {"roc_auc": 0.2, "loss": 1.0}, "b": {"rmse": 0.6, "loss": 2.0}}
    assert score(
        record(
            "m",
            0,
            dict.fromkeys("ab", 0.9),
            metric={"a": "roc_auc", "b": "rmse"},
            validation=validation,
        )
    ) == pytest.approx(-1.5)


def test_a_diverged_trial_has_no_score():
    assert score(record("m", 0, {"a": None}, error="nan")) is None
    assert score(None) is None


def test_a_run_without_validation_data_has_no_score():
    assert score(record("m", 0, {"a": 0.5}, validation={})) is None
