"""Rows that count more when contestants are weighed: as so many equal rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from softshare.shallow.common_weights import Goal, least_loss_weights
from softshare.shallow.joining import hurt_tasks
from softshare.shallow.scores import score, task_areas
from softshare.shallow.stacking import stack
from softshare.shallow.trust import gain_and_error

GENERATOR = np.random.default_rng(0)
TASKS = GENERATOR.integers(3, size=80)
COUNTS = GENERATOR.integers(1, 4, size=80)
OUTPUTS = np.round(GENERATOR.normal(size=(80, 3)), 1)
VALUES = OUTPUTS[:, 0] + GENERATOR.normal(size=80)
CLASSES = (GENERATOR.normal(size=80) > OUTPUTS[:, 0]).astype(float)
OF_KIND = {
    "regression": ("r2", "mean-rmse", "mean-mae"),
    "binary": ("roc-auc", "accuracy", "brier"),
}


def repeated(*arrays):
    return [np.repeat(array, COUNTS, axis=0) for array in arrays]


@pytest.mark.parametrize(
    ("kind", "metric"), [(kind, metric) for kind, some in OF_KIND.items() for metric in some]
)
def test_scores_count_rows(kind, metric):
    targets = VALUES if kind == "regression" else CLASSES
    found = score(metric, OUTPUTS[:, 0], targets, TASKS, kind, COUNTS.astype(float))
    wanted = score(metric, *repeated(OUTPUTS[:, 0], targets, TASKS), kind)
    assert found == pytest.approx(wanted, abs=1e-12)


def test_areas_are_scikit_learn_s():
    weights = GENERATOR.uniform(0.5, 3, size=80)
    areas = task_areas(OUTPUTS[:, 0], CLASSES, TASKS, weights)
    for task in range(3):
        own = task == TASKS
        oracle = roc_auc_score(CLASSES[own], OUTPUTS[own, 0], sample_weight=weights[own])
        assert areas[task] == pytest.approx(oracle)


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_weights_of_least_loss_count_rows(kind):
    targets = VALUES if kind == "regression" else CLASSES
    found = least_loss_weights(OUTPUTS, targets, kind, COUNTS.astype(float))
    wanted = least_loss_weights(*repeated(OUTPUTS, targets), kind)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_equal_counts_test_harm_as_none_do():
    worse = VALUES - 0.5
    _, plain = hurt_tasks(worse, TASKS, 3)
    _, counted = hurt_tasks(worse, TASKS, 3, counts=np.full(80, 2.5))
    np.testing.assert_allclose(counted, plain)
    own = worse[TASKS == 1]
    assert counted[1] == pytest.approx(stats.ttest_1samp(own, 0, alternative="greater").pvalue)
    # rows that hardly count leave the test to the others
    counts = np.where(np.arange(80) % 2, 1.0, 1e-9)
    _, few = hurt_tasks(worse, TASKS, 3, counts=counts)
    seen = worse[(TASKS == 1) & (counts == 1)]
    statistic = np.mean(seen) / (np.std(seen) / np.sqrt(len(seen)))
    n = len(own)
    assert few[1] == pytest.approx(stats.t.sf(statistic * np.sqrt((n - 1) / n), n - 1), rel=1e-6)


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_a_stack_of_equal_counts_is_one_of_none(kind):
    targets, metric = (VALUES, "mean-rmse") if kind == "regression" else (CLASSES, "roc-auc")
    given = {"kind": kind, "metric": metric, "pooled": 0, "apart": 1}
    plain = stack(OUTPUTS, targets, TASKS, **given)
    counted = stack(OUTPUTS, targets, TASKS, counts=np.ones(80), **given)
    np.testing.assert_allclose(counted.weights, plain.weights, atol=1e-10)


def test_heavy_rows_decide_who_is_trusted():
    """The second contestant is right where rows are heavy, the first where they are light."""
    is_heavy = np.arange(80) < 30
    truth = GENERATOR.normal(size=80)
    noise = 2 * GENERATOR.normal(size=80)
    outputs = np.column_stack([np.where(is_heavy, noise, truth), np.where(is_heavy, truth, noise)])
    counts = np.where(is_heavy, 100.0, 0.01)
    found = stack(outputs, truth, TASKS, kind="regression", metric="r2", pooled=0, counts=counts)
    assert found.common[1] > 0.9
    goal = Goal("regression", "r2", 0, 0)
    gain, _ = gain_and_error(outputs[:, 1], outputs[:, 0], truth, TASKS, goal, counts=counts)
    assert gain > 0
