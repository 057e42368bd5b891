"""The tensor normal density against the normal density with a Kronecker product as covariance."""

from __future__ import annotations

from math import log, pi

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from softshare.sharing.algebra.tensor_normal_density import (
    Covariance,
    negative_log_density,
    scatter,
    smoothed,
)

SHAPE = (3, 2, 4)


def covariance_of(size: int, *, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(size, size, generator=generator, dtype=torch.float64)
    return root @ root.T + torch.eye(size, dtype=torch.float64)


COVARIANCES = [covariance_of(size, seed=size) for size in SHAPE]
PRECISIONS = {axis: covariance.inverse() for axis, covariance in enumerate(COVARIANCES)}
WHOLE = torch.kron(torch.kron(COVARIANCES[0], COVARIANCES[1]), COVARIANCES[2])
STACK = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_it_is_the_normal_density_of_the_kronecker_product() -> None:
    stack = STACK.clone().requires_grad_()
    determinants = {axis: covariance.logdet() for axis, covariance in enumerate(COVARIANCES)}
    value = negative_log_density(stack, PRECISIONS, determinants)
    normal = MultivariateNormal(torch.zeros(24, dtype=torch.float64), WHOLE)
    assert_close(value + 12 * log(2 * pi), -normal.log_prob(STACK.flatten()))

    (gradient,) = torch.autograd.grad(value, stack)
    assert_close(gradient.flatten(), torch.linalg.solve(WHOLE, STACK.flatten()))


def test_modes_one_after_the_other_are_the_whole_precision() -> None:
    expected = torch.linalg.solve(WHOLE, STACK.flatten()).reshape(SHAPE)
    assert_close(smoothed(STACK, PRECISIONS), expected)


def test_a_scatter_weighs_by_the_other_modes_alone() -> None:
    others = torch.kron(PRECISIONS[0], PRECISIONS[2])
    unfolded = STACK.movedim(1, 0).reshape(2, 12)
    assert_close(scatter(STACK, 1, PRECISIONS), unfolded @ others @ unfolded.T)


def test_an_update_keeps_the_trace_and_the_inverse() -> None:
    learned = Covariance(3, trace=2.0, epsilon=0.1, n_weights=2, like=STACK)
    first = scatter(STACK, 0, {})
    learned.add(first, 8)
    assert_close(learned.covariance, torch.eye(3, dtype=torch.float64) * 2 / 3)

    learned.add(2 * first, 8)
    estimate = 3 * first / 16
    estimate = estimate + 0.1 * estimate.trace() / 3 * torch.eye(3, dtype=torch.float64)
    assert_close(learned.covariance, estimate * 2 / estimate.trace())
    assert_close(learned.precision, learned.covariance.inverse())
    assert_close(learned.log_determinant, learned.covariance.logdet())
    assert learned.condition >= torch.linalg.cond(learned.covariance) - 1e-9
