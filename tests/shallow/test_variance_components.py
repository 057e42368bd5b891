"""Restricted maximum likelihood against dense likelihoods and numerical derivatives."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from softshare.shallow.variance_components import CompressedTasks, estimate, solve


def dense_criterion(
    design: np.ndarray, targets: np.ndarray, V: np.ndarray, penalised: np.ndarray, penalty: float
) -> float:
    """Minus twice the restricted log-likelihood with σ² profiled out, by whole matrices."""
    V = V + design @ np.diag(penalised / penalty) @ design.T
    free = design[:, penalised == 0]
    inverse = np.linalg.inv(V)
    A = free.T @ inverse @ free
    P = inverse - inverse @ free @ np.linalg.solve(A, free.T @ inverse)
    n_free = len(targets) - free.shape[1]
    sigma2 = targets @ P @ targets / n_free
    return float(n_free * np.log(sigma2) + np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1])


def test_criterion_is_the_restricted_likelihood_and_its_gradient_is_right() -> None:
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(6), 5)
    inputs = generator.normal(size=(30, 2))
    targets = inputs @ (1.0, -2.0) + generator.normal(size=6)[tasks] + generator.normal(size=30)
    tasks[:3] = 5  # unequal tasks: one with fewer rows than columns
    design = np.column_stack([inputs, np.ones(30)])
    members = np.array([[0, 0, 1.0], [1, 1, 0]])
    penalised = np.array([1.0, 1, 0])
    small = CompressedTasks.of(design, targets, tasks, 6)

    def at(logarithms: np.ndarray) -> float:
        values = np.exp(logarithms)
        return solve(small, values[:2], members, values[2], penalised).criterion

    def dense(logarithms: np.ndarray) -> float:
        values = np.exp(logarithms)
        same = tasks[:, None] == tasks
        random = design @ np.diag(values[:2] @ members) @ design.T
        return dense_criterion(design, targets, np.eye(30) + same * random, penalised, values[2])

    point, other = np.log([0.5, 0.2, 3.0]), np.log([2.0, 0.01, 0.3])
    np.testing.assert_allclose(at(point) - at(other), dense(point) - dense(other), rtol=1e-6)
    wanted = optimize.approx_fprime(point, at, 1e-6)
    got = solve(small, np.exp(point[:2]), members, 3.0, penalised).gradient
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_compressed_rows_keep_every_product() -> None:
    generator = np.random.default_rng(1)
    tasks = np.repeat([0, 1, 2], (9, 2, 5))
    design = generator.normal(size=(16, 3))
    targets = generator.normal(size=16)
    small = CompressedTasks.of(design, targets, tasks, 3)
    assert small.design.shape == (3, 3, 3)
    for task in range(3):
        mine = tasks == task
        reduced = small.design[task]
        np.testing.assert_allclose(reduced.T @ reduced, design[mine].T @ design[mine])
        products = reduced.T @ small.response[task]
        np.testing.assert_allclose(products, design[mine].T @ targets[mine])
    np.testing.assert_allclose((small.response**2).sum() + small.rest, targets @ targets)


def test_equal_tasks_have_no_variance_between_them() -> None:
    generator = np.random.default_rng(2)
    tasks = np.repeat(np.arange(10), 20)
    errors = generator.normal(size=(10, 20))
    # Every task's errors add to zero: its intercept varies less than chance.
    targets = (errors - errors.mean(axis=1, keepdims=True)).ravel()
    small = CompressedTasks.of(np.ones((200, 1)), targets, tasks, 10)
    ratios, penalty, found = estimate(
        small, np.ones((1, 1)), np.zeros(1), start=np.array([0.1, 1.0]), penalty=0.0
    )
    assert ratios.tolist() == [0.0]
    assert penalty == 0
    np.testing.assert_allclose(found.noise, targets @ targets / 199)
