"""Weights of contestants: which tasks keep apart, and what moves a task's own weights."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.stacking import stack


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


def test_a_task_is_not_hurt_by_a_few_groups_bad_luck() -> None:
    # Joint outputs miss by what each person shifts them, up or down; apart ones by as much noise.
    generator = np.random.default_rng(6)
    groups = np.repeat(np.arange(60), 20)
    tasks = groups // 6
    targets = generator.normal(size=1200)
    joint = targets + generator.normal(size=60)[groups]
    apart = targets + generator.normal(size=1200)
    outputs = np.column_stack([joint, apart])
    settings = {"kind": "regression", "metric": "r2", "pooled": 0, "apart": 1}
    single = stack(outputs, targets, tasks, **settings)
    grouped = stack(outputs, targets, tasks, groups=groups, **settings)
    assert single.apart.any()
    assert not grouped.apart.any()
