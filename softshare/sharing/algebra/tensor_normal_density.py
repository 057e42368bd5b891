"""The tensor normal distribution of a stack of weights: its density and its covariances' updates.

Modes are counted as the stack's axes here, the task being axis 0. ``covariance`` is always Σ,
``precision`` always Σ⁻¹.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from softshare.sharing.algebra.decompositions import mode_product, unfold

WELL_CONDITIONED = 1e4
"""Product of the covariances' condition numbers up to which weights of single precision keep theirs
in ``Ω W``: its relative error is at most about the product times 6e-8.
"""


class Covariance(nn.Module):
    """The covariance of one mode, learned by closed-form updates, and its inverse, kept between
    them.

    Its trace is fixed: only the product of all modes' covariances is identified, and were their
    common scale learned with the weights, both would shrink to zero together, where the density has
    no bound.

    All of it stays in double precision whatever the network's: beside a small ``epsilon`` the
    inverse of a covariance that was rounded to single precision is another matrix.

    Args:
        size: of the mode, D.
        trace: what the diagonal adds up to.
        epsilon: multiple of the mean variance that every update adds to the diagonal.
        n_weights: how many weights' contributions make an update.
        like: a tensor on the device wanted.

    Attributes:
        covariance: Σ, at first the identity scaled to the trace.
        precision: Σ⁻¹.
        log_determinant: ln|Σ|.
        condition: a bound on the ratio of Σ's largest and smallest eigenvalue.

    Shape:
        covariance and precision ``(D, D)``, log_determinant ``()``.
    """

    covariance: Tensor
    precision: Tensor
    log_determinant: Tensor

    def __init__(
        self,
        size: int,
        *,
        trace: float,
        epsilon: float,
        n_weights: int,
        like: Tensor,
    ) -> None:
        super().__init__()
        self._trace = trace
        self._epsilon = epsilon
        self._n_weights = n_weights
        # What has come of an update that waits for further weights.
        self._scatters: list[Tensor] = []
        self._columns = 0
        identity = torch.eye(
            size,
            dtype=torch.float64,
            device=like.device,
        )
        log_determinant = size * log(trace / size)
        self.register_buffer("covariance", identity * trace / size)
        self.register_buffer("precision", identity * size / trace)
        self.register_buffer("log_determinant", identity.new_tensor(log_determinant))
        self.condition = 1.0

    def add(self, scatter: Tensor, columns: int) -> None:
        """One weight's contribution; the last one expected makes the update.

        Args:
            scatter: see :func:`scatter`, ``(D, D)``, in float64.
            columns: of the unfolding that it is of.
        """
        self._scatters.append(scatter)
        self._columns += columns
        if len(self._scatters) < self._n_weights:
            return
        total = torch.stack(self._scatters).sum(0)
        estimate = total / self._columns
        self._scatters = []
        self._columns = 0
        mean_variance = estimate.diagonal().mean()
        # Weights that are all zero say nothing; those that are not finite end the training at the
        # next loss.
        if torch.isfinite(mean_variance) and mean_variance > 0:
            estimate.diagonal().add_(self._epsilon * mean_variance)
            to_trace = self._trace / estimate.trace()
            self._set(estimate * to_trace)

    def _set(self, covariance: Tensor) -> None:
        """A new Σ, and all that follows from it."""
        factor, failed = torch.linalg.cholesky_ex(covariance)
        if failed:
            raise ValueError(
                "TensorNormal: a covariance cannot be inverted with "
                f"epsilon={self._epsilon}; take a larger one"
            )
        self.covariance.copy_(covariance)
        self.precision.copy_(torch.cholesky_inverse(factor))
        # |Σ| = |L|², and a triangle's determinant is the product of its diagonal.
        half = factor.diagonal().log().sum()
        self.log_determinant.copy_(2 * half)
        self.condition = self._condition_bound()

    def _condition_bound(self) -> float:
        """``‖Σ‖₁ ‖Σ⁻¹‖₁``: at least the ratio of the eigenvalues, and 1 for the identity."""
        of_covariance = _one_norm(self.covariance)
        of_precision = _one_norm(self.precision)
        return float(of_covariance * of_precision)

    def _apply(self, fn: Any, recurse: bool = True) -> Covariance:
        """Go with the module to another device, but never to a coarser type."""
        exact = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, before in exact.items():
            now = self._buffers[name]
            if before is None or now is None:
                continue
            if now.dtype != before.dtype:
                # Rounding cannot be undone: the values from before, where they are wanted now.
                self._buffers[name] = before.to(now.device)
        return self

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        if not self.covariance.is_meta:
            self.condition = self._condition_bound()


def _one_norm(matrix: Tensor) -> Tensor:
    """``‖A‖₁``: the largest sum of a column's absolute values."""
    of_columns = matrix.abs().sum(0)
    return of_columns.max()


def smoothed(stack: Tensor, precisions: Mapping[int, Tensor]) -> Tensor:
    """``(⊗ Σ_n⁻¹) vec(W)`` as a tensor like ``W``, one mode after the other; modes not named have
    the identity.
    """
    for axis, precision in precisions.items():
        stack = mode_product(stack, precision, axis)
    return stack


def scatter(
    stack: Tensor,
    axis: int,
    precisions: Mapping[int, Tensor],
) -> Tensor:
    """``W_(n) (⊗_{m≠n} Σ_m)⁻¹ W_(n)ᵀ``: divided by ``d / D_n`` it is the covariance of greatest
    density beside the others.

    Shape:
        stack ``(T, *weight)`` → ``(D_n, D_n)``.
    """
    others = dict(precisions)
    others.pop(axis, None)
    weighted = smoothed(stack, others)
    return unfold(stack, axis) @ unfold(weighted, axis).T


def negative_log_density(
    stack: Tensor,
    precisions: Mapping[int, Tensor],
    log_determinants: Mapping[int, Tensor],
    *,
    in_double: bool = False,
) -> Tensor:
    """``½ [vec(W)ᵀ (Σ_1 ⊗ … ⊗ Σ_N)⁻¹ vec(W) + Σ_n (d / D_n) ln|Σ_n|]``: minus the log density,
    without its constant ``½ d ln 2π``.

    Its gradient goes to the weights alone.

    Args:
        stack: ``W``.
        precisions: axis → ``Σ_n⁻¹``; modes not named have the identity.
        log_determinants: axis → ``ln|Σ_n|``.
        in_double: whether to go through the modes in double precision, which ill-conditioned
            covariances need.

    Shape:
        stack ``(T, *weight)`` → ``()``, of the stack's type.
    """
    with torch.no_grad():
        working = stack.double() if in_double else stack
        narrow = {}
        for axis, precision in precisions.items():
            narrow[axis] = precision.to(working.dtype)
        gradient = smoothed(working, narrow)
    value: Tensor = _QuadraticForm.apply(stack, gradient)
    for axis, log_determinant in log_determinants.items():
        # |Σ_1 ⊗ Σ_2| = |Σ_1|^(d/D_1) |Σ_2|^(d/D_2)
        count = stack.numel() / stack.shape[axis]
        term = count / 2 * log_determinant
        value = value + term.to(value.dtype)
    return value


class _QuadraticForm(torch.autograd.Function):
    """``½ ⟨W, ΩW⟩`` from ``W`` and ``ΩW``, which is its gradient: one pass through the modes serves
    both.
    """

    @staticmethod
    def forward(
        ctx: Any,
        stack: Tensor,
        gradient: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(gradient.to(stack.dtype))
        value = (stack * gradient).sum() / 2
        return value.to(stack.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return outer * gradient, None
