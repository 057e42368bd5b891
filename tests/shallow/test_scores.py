"""Reported metrics of many tasks, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from softshare.shallow.scores import score, task_areas


def test_areas_are_scikit_learn_s_with_ties() -> None:
    generator = np.random.default_rng(0)
    tasks = np.sort(generator.integers(5, size=200))
    labels = generator.integers(2, size=200) * (tasks < 4)  # the last task has one class
    outputs = np.round(generator.normal(size=200), 1)
    areas = task_areas(outputs, labels, tasks)
    for task in range(4):
        mine = tasks == task
        np.testing.assert_allclose(areas[task], roc_auc_score(labels[mine], outputs[mine]))
    assert np.isnan(areas[4])


def test_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="metric must be one of r2"):
        score("f1", np.zeros(2), np.zeros(2), np.zeros(2, dtype=int), "binary")


def test_scores_of_values_are_scikit_learn_s() -> None:
    generator = np.random.default_rng(1)
    tasks = generator.choice([0, 2, 3], size=60)  # task 1 has no row
    targets = generator.normal(size=60)
    outputs = targets + generator.normal(size=60)
    found = score("r2", outputs, targets, tasks, "regression")
    np.testing.assert_allclose(found, r2_score(targets, outputs))
    errors = [
        root_mean_squared_error(targets[tasks == task], outputs[tasks == task])
        for task in (0, 2, 3)
    ]
    found = score("mean-rmse", outputs, targets, tasks, "regression")
    np.testing.assert_allclose(found, -np.mean(errors))
    errors = [
        mean_absolute_error(targets[tasks == task], outputs[tasks == task]) for task in (0, 2, 3)
    ]
    found = score("mean-mae", outputs, targets, tasks, "regression")
    np.testing.assert_allclose(found, -np.mean(errors))


def test_scores_of_probabilities_are_scikit_learn_s() -> None:
    generator = np.random.default_rng(2)
    targets = generator.integers(2, size=60).astype(float)
    tasks = np.zeros(60, dtype=int)
    outputs = generator.normal(size=60)
    found = score("brier", outputs, targets, tasks, "binary")
    np.testing.assert_allclose(found, -brier_score_loss(targets, expit(outputs)))
    targets = generator.integers(3, size=60).astype(float)
    logits = generator.normal(size=(60, 3))
    found = score("brier", logits, targets, tasks, "multiclass")
    distances = (softmax(logits, axis=1) - np.eye(3)[targets.astype(int)]) ** 2
    np.testing.assert_allclose(found, -distances.sum(axis=1).mean() / 2)


def test_accuracy_decides_first_and_the_loss_between_equals() -> None:
    targets = np.array([0.0, 1.0, 1.0, 0.0])
    tasks = np.zeros(4, dtype=int)
    unsure = np.array([-0.1, 0.1, 0.1, 0.1])
    sure = np.array([-3.0, 3.0, 3.0, 0.1])
    right = accuracy_score(targets, sure > 0)
    first = score("accuracy", unsure, targets, tasks, "binary")
    second = score("accuracy", sure, targets, tasks, "binary")
    assert right - 0.01 < first < second < right


def test_no_task_of_both_classes_scores_like_chance() -> None:
    zeros = np.zeros(3)
    assert score("roc-auc", zeros, zeros, np.arange(3), "binary") == 0.5
