"""The best weights for all tasks, against other solvers."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from softshare.shallow.common_weights import (
    Goal,
    common_weights,
    convex_least_squares,
    greedy_weights,
)
from softshare.shallow.scores import score


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


def test_least_squares_weights_stand_copies_of_a_contestant() -> None:
    targets = np.random.default_rng(3).normal(size=30)
    outputs = np.column_stack([targets, targets, -targets])
    weights = convex_least_squares(outputs, targets)
    np.testing.assert_allclose(outputs @ weights, targets, atol=1e-6)


def test_common_weights_add_to_one_and_prefer_the_better_contestant() -> None:
    generator = np.random.default_rng(4)
    tasks = np.repeat(np.arange(9), 20)
    labels = generator.integers(2, size=180).astype(float)
    good = 2 * labels - 1 + 0.3 * generator.normal(size=180)
    outputs = np.column_stack([generator.normal(size=180), good])
    goal = Goal("binary", "roc-auc", pooled=0, random_state=0)
    weights = common_weights(outputs, labels, tasks, goal)
    np.testing.assert_allclose(weights.sum(), 1)
    assert weights[1] > weights[0] > 0
