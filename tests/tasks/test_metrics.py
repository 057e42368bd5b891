"""Metrics on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.tasks.metrics import multiclass_error, primary_metric, task_metrics
from softshare.tasks.task import Task

BINARY, REGRESSION, MULTICLASS = (
    Task("b", "binary"),
    Task("r", "regression"),
    Task("m", "multiclass", 3),
)


def test_binary_metrics_by_hand() -> None:
    outputs = np.array([[2.0], [-1.0], [0.5], [-3.0]])
    values = task_metrics(BINARY, outputs, np.array([1.0, 1.0, 0.0, 0.0]))
    assert values["accuracy"] == 0.5
    assert values["balanced_error"] == 0.5
    assert values["roc_auc"] == 0.75  # of the four pairs, only (−1, 0.5) is in the wrong order
    assert values["f1"] == 0.5


def test_balanced_error_weighs_classes_alike() -> None:
    values = task_metrics(BINARY, np.full((10, 1), -1.0), np.array([1.0] + [0.0] * 9))
    assert values["accuracy"] == pytest.approx(0.9)
    assert values["balanced_error"] == 0.5


def test_multiclass_and_regression_metrics_by_hand() -> None:
    values = task_metrics(MULTICLASS, np.eye(3)[[0, 1, 1, 2]], np.array([0.0, 1.0, 2.0, 2.0]))
    assert values["accuracy"] == 0.75
    assert values["balanced_error"] == pytest.approx(1 - (1 + 1 + 0.5) / 3)
    values = task_metrics(REGRESSION, np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 6.0]))
    assert values["rmse"] == pytest.approx(np.sqrt(3))
    assert values["r2"] == pytest.approx(1 - 9 / 14)


def test_what_one_class_cannot_tell_is_none() -> None:
    values = task_metrics(BINARY, np.array([[1.0], [-1.0]]), np.zeros(2))
    assert values["roc_auc"] is None
    assert values["f1"] is None
    assert values["accuracy"] == 0.5
    assert task_metrics(REGRESSION, np.ones((1, 1)), np.ones(1))["r2"] is None
    assert set(task_metrics(BINARY, np.ones((0, 1)), np.ones(0)).values()) == {None}


def test_the_joint_decision_takes_the_highest_output() -> None:
    targets = [np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])]
    outputs = [
        np.array([[0.1], [0.9], [0.0]]),
        np.array([[0.0], [0.2], [0.3]]),
        np.array([[-1.0], [0.1], [0.4]]),
    ]
    assert multiclass_error(outputs, targets) == pytest.approx(1 / 3)
    assert multiclass_error(outputs[:2], targets[:2]) is None  # the third row belongs to no task


def test_primary_metric_by_kind_and_override() -> None:
    assert [primary_metric(task) for task in (BINARY, REGRESSION, MULTICLASS)] == [
        "roc_auc",
        "rmse",
        "accuracy",
    ]
    assert primary_metric(BINARY, "f1") == "f1"
    with pytest.raises(ValueError, match="'f1' does not apply to regression task 'r'"):
        primary_metric(REGRESSION, "f1")
