"""Weights of contestants: optima, metrics against scikit-learn, and when tasks keep apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from sklearn.metrics import roc_auc_score

from softshare.shallow.scores import score, task_areas
from softshare.shallow.stacking import convex_least_squares, greedy_weights, stack


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


def test_convex_least_squares_reaches_the_minimum_of_another_solver() -> None:
    generator = np.random.default_rng(1)
    targets = generator.normal(size=100)
    outputs = targets[:, None] * (0.9, 0.5, 0.1, -1) + generator.normal(size=(100, 4))
    found = optimize.minimize(
        lambda w: ((outputs @ w - targets) ** 2).mean(),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        tol=1e-12,
    )
    np.testing.assert_allclose(convex_least_squares(outputs, targets), found.x, atol=1e-4)


def test_greedy_weights_are_no_worse_than_the_best_contestant() -> None:
    generator = np.random.default_rng(2)
    tasks = np.repeat(np.arange(10), 30)
    truth = generator.normal(size=300)
    labels = 1.0 * (truth + generator.normal(size=300) > 0)
    outputs = truth[:, None] + generator.normal(size=(300, 3)) * (1.0, 1.0, 5.0)
    weights = greedy_weights(outputs, labels, tasks, kind="binary", metric="roc-auc", pooled=2)
    singles = [score("roc-auc", column, labels, tasks, "binary") for column in outputs.T]
    assert score("roc-auc", outputs @ weights, labels, tasks, "binary") > max(singles)
    assert weights[:2].min() > 0.2
    np.testing.assert_allclose(weights.sum(), 1)


def made(n_unrelated: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ten tasks: a pooled contestant that is right but for the first, and a noisy apart one."""
    generator = np.random.default_rng(3)
    tasks = np.repeat(np.arange(10), 40)
    truth = generator.normal(size=400)
    pooled = np.where(tasks < n_unrelated, -truth, truth + 0.2 * generator.normal(size=400))
    apart = truth + 0.8 * generator.normal(size=400)
    targets = truth + 0.5 * generator.normal(size=400)
    return np.column_stack([pooled, apart]), targets, tasks


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_unrelated_tasks_keep_apart_and_only_they(kind: str) -> None:
    outputs, targets, tasks = made(3)
    metric = "r2"
    if kind == "binary":
        outputs, targets, metric = 3 * outputs, 1.0 * (targets > 0), "roc-auc"
    found = stack(outputs, targets, tasks, kind=kind, metric=metric, pooled=0, apart=1)
    np.testing.assert_array_equal(found.apart, tasks[::40] < 3)
    np.testing.assert_array_equal(found.weights[:3], [[0, 1]] * 3)
    assert found.weights[3:, 0].min() > 0.5


@pytest.mark.parametrize("metric", ["r2", "mean-rmse"])
def test_related_tasks_pool_and_none_keeps_apart(metric: str) -> None:
    outputs, targets, tasks = made(0)
    found = stack(outputs, targets, tasks, kind="regression", metric=metric, pooled=0, apart=1)
    assert not found.apart.any()
    assert found.common[0] > 0.8
    combined = found.combine(outputs, np.full(400, -1))
    np.testing.assert_allclose(combined, outputs @ found.common)


def test_a_task_s_weights_move_with_its_rows_and_combine_classes() -> None:
    generator = np.random.default_rng(4)
    sizes = np.array([200, 200, 4, 4] * 3)
    tasks = np.repeat(np.arange(12), sizes)
    targets = generator.integers(3, size=len(tasks)).astype(float)
    right = np.eye(3)[targets.astype(int)]
    noise = generator.normal(size=(len(tasks), 3))
    odd = (tasks % 2 == 1)[:, None]
    # One contestant knows the even tasks, the other the odd ones.
    outputs = np.stack([np.where(odd, noise, right), np.where(odd, right, noise)], axis=1)
    found = stack(outputs, targets, tasks, kind="multiclass", metric="accuracy", pooled=0)
    moved = np.abs(found.weights - found.common).max(axis=1)
    assert found.rate > 0
    assert moved[sizes == 200].mean() > moved[sizes == 4].mean()
    assert found.combine(outputs, tasks).shape == (len(tasks), 3)


def test_rows_of_one_group_do_not_pass_for_many() -> None:
    # Each task's rows repeat two persons' errors: losses of seen persons say nothing of others.
    generator = np.random.default_rng(5)
    groups = np.repeat(np.arange(40), 10)
    tasks = groups // 2
    errors = generator.normal(size=(40, 2))[groups]
    targets = generator.normal(size=400)
    outputs = targets[:, None] + errors
    settings = {"kind": "regression", "metric": "r2", "pooled": 0}
    single = stack(outputs, targets, tasks, **settings)
    grouped = stack(outputs, targets, tasks, groups=groups, **settings)
    assert grouped.rate < single.rate
