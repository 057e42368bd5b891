"""How far coefficients spread beyond their sampling error: the closed form of empirical Bayes.

Around the common weights a task's log-likelihood is quadratic in its own part ``v`` of D elements::

    ln p(data | v) ≈ sᵀv − ½ vᵀFv + …      s the gradient at v = 0, F = JᵀJ the Fisher information

Along an eigenvector of F with eigenvalue λ the data say that v is ``c/λ``, with the sampling
variance ``1/λ``. Under ``v ~ N(0, τ²I)`` its square is ``τ² + 1/λ`` on average, with the variance
``2(τ² + 1/λ)²``. So the excess ``(c/λ)² − 1/λ`` is an unbiased estimate of ``τ²``, and of all tasks
and directions together the best weights are ``(τ² + 1/λ)⁻²``: one step of Fisher scoring on the
marginal likelihood.

A batch has few rows and D may be large, so all is done by the rows' inner products ``JJᵀ``.
"""

from __future__ import annotations

import torch
from torch import Tensor

LEAST = 1e-6
"""Of the largest eigenvalue: below it a direction is rounding."""


def excess_squares(
    kernel: Tensor,
    pull: Tensor,
    own: Tensor,
    variance: Tensor,
) -> tuple[Tensor, Tensor]:
    """The weighted sum of the excess squares, and of their weights; the quotient estimates ``τ²``.

    Args:
        kernel: ``JJᵀ`` of every task.
        pull: ``Js`` with ``s`` the gradient of the log-likelihood where the task stands now.
        own: ``Jv`` of the own part that it has now.
        variance: ``τ²`` so far, by which directions are weighted, ``()``.

    Shape:
        kernel ``(k, R, R)``, pull and own ``(k, R)`` → ``()``, ``()``, in float64.
    """
    kernel = kernel.double()
    values, vectors = torch.linalg.eigh(kernel)
    # From where the task stands back to v = 0: the gradient there is s + Fv.
    at_zero = pull.double() + torch.einsum("krq,kq->kr", kernel, own.double())
    projected = torch.einsum("krq,kr->kq", vectors, at_zero)  # √λ times c
    counts = values > LEAST * values.amax(1, keepdim=True).clamp(min=1e-300)
    safe = values.where(counts, 1.0)
    damping = (1 + safe * variance.double()).square()
    excess = (projected.square() / safe - safe) / damping
    weight = safe.square() / damping
    nothing = torch.zeros_like(excess)
    return excess.where(counts, nothing).sum(), weight.where(counts, nothing).sum()
