"""Metrics on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from softshare.tasks.class_metrics import BINS, multiclass_error
from softshare.tasks.metrics import (
    METRICS,
    metric_named,
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
    assert values["average_precision"] is None
    assert values["accuracy"] == 0.5
    assert values["macro_f1"] == pytest.approx(1 / 3)  # ⅔ of the class that is there, 0 of none
    assert values["brier"] == pytest.approx(expit([1.0, -1.0]) @ expit([1.0, -1.0]) / 2)
    assert task_metrics(BINARY, np.array([[1.0]]), np.ones(1))["average_precision"] is None
    assert task_metrics(REGRESSION, np.ones((1, 1)), np.ones(1))["r2"] is None
    assert set(task_metrics(BINARY, np.ones((0, 1)), np.ones(0)).values()) == {None}


@pytest.mark.parametrize("size", [1.0, 1e3])
def test_metrics_of_certain_answers(size: float) -> None:
    """Logits so large that a probability is 0 or 1 to the last digit."""
    targets = np.array([1.0, 0.0, 1.0, 0.0])
    right = size * np.array([[40.0], [-40.0], [40.0], [-40.0]])
    values = task_metrics(BINARY, right, targets)
    assert values["log_loss"] == pytest.approx(0, abs=1e-15)
    assert values["brier"] == pytest.approx(0, abs=1e-15)
    assert values["ece"] == pytest.approx(0, abs=1e-15)
    assert values["average_precision"] == 1
    wrong = task_metrics(BINARY, -right, targets)
    assert wrong["log_loss"] == pytest.approx(40 * size)  # what a clipped probability would hide
    assert wrong["brier"] == pytest.approx(1)
    assert wrong["ece"] == pytest.approx(1)


def test_two_classes_are_judged_alike_however_they_are_posed() -> None:
    random = np.random.default_rng(2)
    targets = random.integers(0, 2, 30).astype(float)
    logits = random.normal(size=(30, 1))
    posed = np.hstack([np.zeros_like(logits), logits])
    binary = task_metrics(BINARY, logits, targets)
    several = task_metrics(Task("m", "multiclass", 2), posed, targets)
    for name in ("accuracy", "balanced_error", "macro_f1", "log_loss", "brier"):
        assert several[name] == pytest.approx(binary[name], abs=1e-12)


def test_constant_chances_are_as_wrong_as_their_mean() -> None:
    """Calibration error of a base rate: 0 of the right one, the distance of another one."""
    targets = np.array([1.0] * 3 + [0.0] * 7)
    for chance in (0.3, 0.1, 0.9):
        outputs = np.full((10, 1), np.log(chance / (1 - chance)))
        assert task_metrics(BINARY, outputs, targets)["ece"] == pytest.approx(abs(chance - 0.3))


def test_smaller_is_better_of_losses_and_errors_alone() -> None:
    smaller = {metric.name for metric in METRICS if metric.sign < 0}
    losses = {"log_loss", "brier", "ece", "loss"}
    errors = {"rmse", "mae", "balanced_error", "multiclass_error"}
    assert smaller == losses | errors


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
    with pytest.raises(ValueError, match="metric: 'f1' does not apply to regression task 'r'"):
        primary_metric(REGRESSION, "f1")


def drawn(kind: str, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Outputs with ties and the targets that they fit a little."""
    if kind == "multiclass":
        targets = random.integers(0, 3, 40)
        return np.eye(3)[targets] + random.normal(size=(40, 3)), targets.astype(float)
    targets = random.normal(size=40) if kind == "regression" else random.integers(0, 2, 40)
    outputs = np.round(targets + random.normal(size=40), 1) - 0.5 * (kind == "binary")
    return outputs[:, None], targets.astype(float)


def two_columns(outputs: np.ndarray) -> np.ndarray:
    """Probabilities of the negative and the positive class."""
    positive = expit(outputs[:, 0])
    return np.column_stack([1 - positive, positive])


def calibration_error(came: np.ndarray, probability: np.ndarray) -> float:
    """From the reliability diagram of scikit-learn, whose empty bins are left out."""
    frequency, mean = calibration_curve(came, probability, n_bins=BINS)
    counts, _ = np.histogram(-probability, np.linspace(-1, 0, BINS + 1))  # bins are (low, high]
    shares = counts[::-1][counts[::-1] > 0] / len(came)
    return float(shares @ np.abs(frequency - mean))


def calibration_error_of_several(targets: np.ndarray, outputs: np.ndarray) -> float:
    came = outputs.argmax(1) == targets
    return calibration_error(came, softmax(outputs, axis=1).max(axis=1))


def brier_of_several(targets: np.ndarray, outputs: np.ndarray) -> float:
    distances = (softmax(outputs, axis=1) - np.eye(3)[targets.astype(int)]) ** 2
    return float(distances.sum(axis=1).mean() / 2)


ORACLES = {
    ("binary", "average_precision"): lambda y, out: sklearn_metrics.average_precision_score(
        y, out[:, 0]
    ),
    ("binary", "log_loss"): lambda y, out: sklearn_metrics.log_loss(
        y, two_columns(out), labels=[0, 1]
    ),
    ("binary", "brier"): lambda y, out: sklearn_metrics.brier_score_loss(y, expit(out[:, 0])),
    ("binary", "macro_f1"): lambda y, out: sklearn_metrics.f1_score(
        y, out[:, 0] > 0, average="macro"
    ),
    ("binary", "ece"): lambda y, out: calibration_error(y, expit(out[:, 0])),
    ("multiclass", "log_loss"): lambda y, out: sklearn_metrics.log_loss(
        y, softmax(out, axis=1), labels=[0, 1, 2]
    ),
    ("multiclass", "brier"): brier_of_several,
    ("multiclass", "macro_f1"): lambda y, out: sklearn_metrics.f1_score(
        y, out.argmax(1), average="macro"
    ),
    ("multiclass", "ece"): calibration_error_of_several,
    ("regression", "mae"): lambda y, out: sklearn_metrics.mean_absolute_error(y, out[:, 0]),
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


@pytest.mark.parametrize(("kind", "name"), ORACLES)
def test_better_outputs_have_a_better_value(kind: str, name: str) -> None:
    """The targets themselves, as sure logits, against outputs that know nothing."""
    random = np.random.default_rng(3)
    outputs, targets = drawn(kind, random)
    perfect = targets[:, None] if kind == "regression" else 40 * (2 * targets[:, None] - 1)
    if kind == "multiclass":
        perfect = 40 * np.eye(3)[targets.astype(int)]
    metric = metric_named(name)
    every_row_once = np.ones((1, len(targets)))
    (best,) = weighted_metric(metric, perfect, targets, every_row_once)
    (other,) = weighted_metric(metric, outputs[::-1], targets, every_row_once)
    assert metric.sign * best > metric.sign * other


def test_outputs_that_are_no_numbers_have_no_metric() -> None:
    values = task_metrics(REGRESSION, np.array([[np.nan], [1.0]]), np.array([0.0, 1.0]))
    assert values == {"rmse": None, "r2": None, "mae": None}


def test_every_metric_says_what_it_is() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.title and metric.note for metric in METRICS)
    assert {kind for kind, _ in ORACLES} == {"binary", "multiclass", "regression"}
    computed = {metric.name for metric in METRICS if metric.measure}
    assert computed == {name for _, name in ORACLES}
    oracles = {(kind, metric.name) for metric in METRICS if metric.measure for kind in metric.kinds}
    assert oracles == set(ORACLES)


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no metric 'auc'; choose from roc_auc, accuracy"):
        metric_named("auc")
