"""Excess squares against the marginal likelihood that they climb."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra.excess import excess_squares


def made(n_tasks: int, rows: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    jacobian = torch.randn(n_tasks, rows, width, dtype=torch.float64, generator=generator)
    noise = torch.randn(n_tasks, rows, dtype=torch.float64, generator=generator)
    own = torch.randn(n_tasks, width, dtype=torch.float64, generator=generator)
    return jacobian, noise, own


def test_it_is_the_score_of_the_marginal_likelihood_over_its_information() -> None:
    # y = J v + noise of variance 1: y ~ N(0, I + τ² J Jᵀ), and the gradient at v is Jᵀ (y − J v).
    jacobian, y, own = made(3, 7, 4)
    kernel = jacobian @ jacobian.mT
    of_own = torch.einsum("krd,kd->kr", jacobian, own)
    pull = torch.einsum("krq,kq->kr", kernel, y - of_own)
    variance = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    covariance = torch.eye(7, dtype=torch.float64) + variance * kernel
    density = torch.distributions.MultivariateNormal(torch.zeros(7).double(), covariance)
    (score,) = torch.autograd.grad(density.log_prob(y).sum(), variance)
    solved = torch.linalg.solve(covariance.detach(), kernel)
    information = torch.einsum("kij,kji->k", solved, solved).sum() / 2

    excess, weight = excess_squares(kernel, pull, own=of_own, variance=variance.detach())
    # One step of Fisher scoring: τ² + score / information.
    assert_close(excess / weight, variance.detach() + score / information)


def test_spreads_are_recovered_and_nothing_is_found_where_nothing_is() -> None:
    for spread in (0.0, 0.3, 2.0):
        jacobian, noise, direction = made(400, 6, 9)
        y = noise + torch.einsum("krd,kd->kr", jacobian, spread * direction)
        kernel = jacobian @ jacobian.mT
        pull = torch.einsum("krq,kq->kr", kernel, y)
        excess, weight = excess_squares(
            kernel, pull, torch.zeros(400, 6), torch.tensor(max(spread, 0.1) ** 2)
        )
        assert abs(float(excess / weight) - spread**2) < 0.02 + 0.15 * spread**2


def test_directions_that_no_row_has_say_nothing() -> None:
    nothing = torch.zeros(2, 3, 3)
    excess, weight = excess_squares(
        nothing, torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor(1.0)
    )
    assert excess == 0
    assert weight == 0
