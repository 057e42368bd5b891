"""Metrics on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from softshare.tasks.metrics import (
    METRICS,
    metric_named,
    multiclass_error,
    primary_metric,
    task_metrics,
    weighted_metric,
)
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


def drawn(kind: str, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Outputs with ties and the targets that they fit a little."""
    if kind == "multiclass":
        targets = random.integers(0, 3, 40)
        return np.eye(3)[targets] + random.normal(size=(40, 3)), targets.astype(float)
    targets = random.normal(size=40) if kind == "regression" else random.integers(0, 2, 40)
    outputs = np.round(targets + random.normal(size=40), 1) - 0.5 * (kind == "binary")
    return outputs[:, None], targets.astype(float)


ORACLES = {
    ("binary", "roc_auc"): lambda y, out: sklearn_metrics.roc_auc_score(y, out[:, 0]),
    ("binary", "accuracy"): lambda y, out: sklearn_metrics.accuracy_score(y, out[:, 0] > 0),
    ("binary", "f1"): lambda y, out: sklearn_metrics.f1_score(y, out[:, 0] > 0),
    ("binary", "balanced_error"): lambda y, out: (
        1 - sklearn_metrics.balanced_accuracy_score(y, out[:, 0] > 0)
    ),
    ("multiclass", "accuracy"): lambda y, out: sklearn_metrics.accuracy_score(y, out.argmax(1)),
    ("multiclass", "balanced_error"): lambda y, out: (
        1 - sklearn_metrics.balanced_accuracy_score(y, out.argmax(1))
    ),
    ("regression", "rmse"): lambda y, out: sklearn_metrics.root_mean_squared_error(y, out[:, 0]),
    ("regression", "r2"): lambda y, out: sklearn_metrics.r2_score(y, out[:, 0]),
}


@pytest.mark.parametrize(("kind", "name"), ORACLES)
def test_values_are_those_of_scikit_learn(kind: str, name: str) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        outputs, targets = drawn(kind, random)
        every_row_once = np.ones((1, len(targets)))
        (value,) = weighted_metric(metric_named(name), outputs, targets, every_row_once)
        assert value == pytest.approx(ORACLES[kind, name](targets, outputs), abs=1e-12)


@pytest.mark.parametrize(("kind", "name"), ORACLES)
def test_a_weight_of_two_is_a_row_that_stands_twice(kind: str, name: str) -> None:
    random = np.random.default_rng(1)
    outputs, targets = drawn(kind, random)
    weights = random.integers(1, 4, (5, len(targets)))
    found = weighted_metric(metric_named(name), outputs, targets, weights.astype(float))
    for value, counts in zip(found, weights, strict=True):
        rows = np.repeat(np.arange(len(targets)), counts)
        assert value == pytest.approx(ORACLES[kind, name](targets[rows], outputs[rows]), abs=1e-12)


def test_outputs_that_are_no_numbers_have_no_metric() -> None:
    values = task_metrics(REGRESSION, np.array([[np.nan], [1.0]]), np.array([0.0, 1.0]))
    assert values == {"rmse": None, "r2": None}


def test_every_metric_says_what_it_is() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.title and metric.note for metric in METRICS)
    assert {kind for kind, _ in ORACLES} == {"binary", "multiclass", "regression"}
    computed = {metric.name for metric in METRICS if metric.measure}
    assert computed == {name for _, name in ORACLES}


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no metric 'auc'; choose from roc_auc, accuracy"):
        metric_named("auc")
