"""Convex penalties of the weights of T linear models.

The models' weights are a sum of parts, ``(parts, T, D)``: one part in most methods, a low-rank and
a sparse one in RMTL. A penalty that is no quadratic gives its proximal operator

    prox(Z) = argmin_U ½ ‖U − Z‖² + step · Ω(U)

and its conjugate ``Ω*(V) = max_Z ⟨Z, V⟩ − Ω(Z)``, which bounds the optimum from below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

TINY = np.finfo(float).tiny


class ProximalPenalty(ABC):
    """A penalty that gradient steps are followed by."""

    n_parts = 1

    @abstractmethod
    def value(self, parts: np.ndarray) -> float:
        """``Ω``, of ``(parts, T, D)``."""

    @abstractmethod
    def proximal(self, parts: np.ndarray, step: float) -> np.ndarray:
        """The proximal operator of ``step · Ω``."""

    @abstractmethod
    def feasible_scale(self, gradient: np.ndarray) -> float:
        """The largest scale s of at most 1 at which ``Ω*(s · gradient)`` is finite.

        Shape:
            ``(T, D)``; every part of the weights has the same gradient.
        """

    def conjugate(self, gradient: np.ndarray) -> float:
        """``Ω*`` where it is finite; of a norm it is zero there."""
        return 0.0


class TraceNormPenalty(ProximalPenalty):
    """``strength · ‖W‖_*``, the sum of the singular values."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def value(self, parts: np.ndarray) -> float:
        values = singular_values(parts[0])
        return self.strength * float(values.sum())

    def proximal(self, parts: np.ndarray, step: float) -> np.ndarray:
        shrunk = with_shrunk_values(parts[0], step * self.strength)
        return shrunk[None]

    def feasible_scale(self, gradient: np.ndarray) -> float:
        # The dual norm of the trace norm is the largest singular value.
        values = singular_values(gradient)
        return scale_to(self.strength, values.max(initial=0.0))


class SquaredTraceNormPenalty(ProximalPenalty):
    """``½ ridge · ‖W‖_F² + ½ strength · ‖W‖_*²``."""

    def __init__(self, strength: float, *, ridge: float = 0.0) -> None:
        self.strength = strength
        self.ridge = ridge

    def value(self, parts: np.ndarray) -> float:
        values = singular_values(parts[0])
        squares = self.ridge * (values**2).sum()
        nuclear = self.strength * values.sum() ** 2
        return float(squares + nuclear) / 2

    def proximal(self, parts: np.ndarray, step: float) -> np.ndarray:
        left, values, right = np.linalg.svd(parts[0], full_matrices=False)
        # The distance ½ ‖U − Z‖² is one more square beside the ridge's.
        square = 1 + step * self.ridge
        shrunk = _least_of_squares(values, square, step * self.strength)
        whole = (left * shrunk) @ right
        return whole[None]

    def feasible_scale(self, gradient: np.ndarray) -> float:
        return 1.0  # the conjugate of a square is finite everywhere

    def conjugate(self, gradient: np.ndarray) -> float:
        values = singular_values(gradient)
        if self.ridge == 0:
            largest = values.max(initial=0.0)
            return float(largest**2) / (2 * self.strength)
        # Ω is homogeneous of degree 2: its conjugate is half the product with the maximiser.
        maximiser = _least_of_squares(values, self.ridge, self.strength)
        return float(values @ maximiser) / 2


class FeatureNormPenalty(ProximalPenalty):
    """``strength · Σ_d ‖W_{:, d}‖₂``, every feature's weights over all tasks a group."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def value(self, parts: np.ndarray) -> float:
        norms = np.linalg.norm(parts[0], axis=0)
        return self.strength * float(norms.sum())

    def proximal(self, parts: np.ndarray, step: float) -> np.ndarray:
        return with_shrunk_norms(parts, step * self.strength, axis=1)

    def feasible_scale(self, gradient: np.ndarray) -> float:
        norms = np.linalg.norm(gradient, axis=0)
        return scale_to(self.strength, norms.max(initial=0.0))


class AbsolutePenalty(ProximalPenalty):
    """``strength · Σ |w|`` of all numbers."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def value(self, parts: np.ndarray) -> float:
        return self.strength * float(np.abs(parts).sum())

    def proximal(self, parts: np.ndarray, step: float) -> np.ndarray:
        shrunk = np.abs(parts) - step * self.strength
        sizes = np.maximum(shrunk, 0)
        return np.sign(parts) * sizes

    def feasible_scale(self, gradient: np.ndarray) -> float:
        # The dual norm of the sum of absolute values is the largest of them.
        largest = np.abs(gradient).max(initial=0.0)
        return scale_to(self.strength, largest)


class LowRankAndOutliersPenalty(ProximalPenalty):
    """``low_rank · ‖P‖_* + outlier · Σ_t ‖q_t‖₂`` of the parts P and Q."""

    n_parts = 2

    def __init__(self, low_rank: float, outlier: float) -> None:
        self.low_rank = low_rank
        self.outlier = outlier

    def value(self, parts: np.ndarray) -> float:
        norms = np.linalg.norm(parts[1], axis=1)
        values = singular_values(parts[0])
        of_low_rank = self.low_rank * values.sum()
        of_outliers = self.outlier * norms.sum()
        return float(of_low_rank + of_outliers)

    def proximal(self, parts: np.ndarray, step: float) -> np.ndarray:
        low_rank = with_shrunk_values(parts[0], step * self.low_rank)
        outliers = with_shrunk_norms(parts[1], step * self.outlier, axis=1)
        return np.stack([low_rank, outliers])

    def feasible_scale(self, gradient: np.ndarray) -> float:
        # The gradient must lie in both dual balls.
        norms = np.linalg.norm(gradient, axis=1)
        spectral = singular_values(gradient).max(initial=0.0)
        return min(
            scale_to(self.low_rank, spectral),
            scale_to(self.outlier, norms.max(initial=0.0)),
        )


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """The singular values, the largest first."""
    values: np.ndarray = np.linalg.svd(matrix, compute_uv=False)
    return values


def with_shrunk_values(matrix: np.ndarray, by: float) -> np.ndarray:
    """The matrix with every singular value nearer to zero by a number."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    # The values that vanish lie last: the product leaves them out.
    stays = values > by
    rank = int(stays.sum())
    shrunk = values[:rank] - by
    directions = left[:, :rank] * shrunk
    return np.asarray(directions @ right[:rank])


def with_shrunk_norms(matrix: np.ndarray, by: float, *, axis: int) -> np.ndarray:
    """The array with its norms along an axis nearer to zero by a number."""
    norms = np.linalg.norm(matrix, axis=axis, keepdims=True)
    # A norm of zero stays zero, without a division by it.
    lengths = np.maximum(norms, TINY)
    kept = np.maximum(1 - by / lengths, 0)
    return matrix * kept


def scale_to(bound: float, norm: float) -> float:
    """By what to multiply something of this norm, at most 1, so that its norm is in a bound."""
    if norm <= bound:
        return 1.0
    return bound / float(norm)


def _least_of_squares(values: np.ndarray, square: float, squared_sum: float) -> np.ndarray:
    """``argmin_{σ ≥ 0} ½ square ‖σ‖² + ½ squared_sum (Σ σ)² − ⟨σ, values⟩``, values falling.

    The optimum has ``square · σ_i = max(values_i − squared_sum · S, 0)`` with ``S = Σ σ``. If the k
    largest are not zero, ``S = Σ_{i ≤ k} values_i / (square + k · squared_sum)``, and k is the
    largest number for which the k-th indeed is not.
    """
    n_nonzero = np.arange(1, len(values) + 1)
    curvatures = square + n_nonzero * squared_sum
    sums = np.cumsum(values) / curvatures  # S, were the k largest the ones that are not zero
    fits = np.flatnonzero(values > squared_sum * sums)
    if not len(fits):
        return np.zeros_like(values)
    last = fits[-1]
    threshold = squared_sum * sums[last]
    kept = np.maximum(values - threshold, 0)
    return kept / square
