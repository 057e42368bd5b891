"""The covariance of rows of several tasks, and how likely values are by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.spatial import distance

from softshare.shallow.rows import Array, Codes, Rows

# Rows whose covariances with all others are made at once.
BLOCK = 500
N_AMPLITUDES = 7


@dataclass(frozen=True)
class Kernel:
    """Covariance of two rows, a smooth and a linear part of both kinds.

    a₀ E + a₁ x·x' + [same task] (a₂ E + a₃ x·x' + a₄) + a₅ [same group] + a₆ [same row] / weight

    where E(x, x') is the exponential of minus half the squared distance in length scales and x·x'
    the mean product of inputs (Bonilla et al. 2008; a common and a diagonal task covariance).

    Attributes:
        amplitudes: a₀ to a₆. Shape (7,).
        lengths: Shape (p,).
    """

    amplitudes: Array
    lengths: Array

    @classmethod
    def of(cls, logarithms: Array, n_inputs: int) -> Kernel:
        """From the logarithms of seven amplitudes, then of one length or of each input's."""
        values = np.exp(logarithms)
        lengths = np.broadcast_to(values[N_AMPLITUDES:], n_inputs)
        return cls(values[:N_AMPLITUDES], lengths)

    def parts(
        self,
        first: Array,
        second: Array,
        same_task: Array,
    ) -> list[Array]:
        """What a₀ to a₄ multiply. Shape of each: (n, m)."""
        one = first / self.lengths
        two = second / self.lengths
        # By differences: |x|² + |x'|² − 2 x·x' is rounded so much where lengths are short that the
        # matrix may not be positive definite.
        squares = distance.cdist(one, two, "sqeuclidean")
        near = np.exp(-0.5 * squares)
        n_inputs = first.shape[1]
        products = first @ second.T / n_inputs
        return [
            near,
            products,
            same_task * near,
            same_task * products,
            same_task,
        ]

    def covariance(self, first: Array, second: Array, same_task: Array) -> Array:
        """Of rows that share no group. Shape (n, m)."""
        total = np.zeros(same_task.shape)
        for begin in range(0, len(first), BLOCK):
            block = slice(begin, begin + BLOCK)
            parts = self.parts(first[block], second, same_task[block])
            amplitudes = self.amplitudes[: len(parts)]
            for amplitude, part in zip(amplitudes, parts, strict=True):
                total[block] += amplitude * part
        return total


def same_codes(first: Codes, second: Codes) -> Array:
    """1 where two rows are of one task or group. Shape (n, m)."""
    return (first[:, None] == second).astype(float)


def covariance_of(kernel: Kernel, rows: Rows) -> Array:
    """The covariance of rows. Shape (n, n)."""
    same_task = same_codes(rows.tasks, rows.tasks)
    total = kernel.covariance(rows.inputs, rows.inputs, same_task)
    of_group, of_row = kernel.amplitudes[-2:]
    if rows.groups is not None:
        total += of_group * same_codes(rows.groups, rows.groups)
    total[np.diag_indices_from(total)] += of_row / rows.row_weights
    return total


def inverse_of(matrix: Array) -> Array:
    """Of a covariance, which is overwritten. Shape (n, n)."""
    factor = linalg.cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    # LAPACK fills the lower half; the upper is its mirror.
    lower = np.tril(inverse)
    upper = np.tril(inverse, -1).T
    return np.asarray(lower + upper)


def _matrix(kernel: Kernel, rows: Rows) -> tuple[Array, list[Array]]:
    """The covariance of rows, and what the seven amplitudes multiply. Shapes: (n, n)."""
    n_rows = len(rows.targets)
    same_task = same_codes(rows.tasks, rows.tasks)
    same_group = np.zeros((n_rows, n_rows))
    if rows.groups is not None:
        same_group = same_codes(rows.groups, rows.groups)
    parts = kernel.parts(rows.inputs, rows.inputs, same_task)
    parts.extend([same_group, np.diag(1 / rows.row_weights)])
    total = np.zeros((n_rows, n_rows))
    for amplitude, part in zip(kernel.amplitudes, parts, strict=True):
        total += amplitude * part
    return total, parts


def negative_log_likelihood(logarithms: Array, rows: Rows, values: Array) -> tuple[float, Array]:
    """−log p(values) without its constant, and its slope (Rasmussen and Williams 2006, eq. 5.9).

    Args:
        logarithms: Of the amplitudes and length scales. Shape (7 + lengths,).
        rows: With scaled inputs.
        values: Shape (n, C).
    """
    n_inputs = rows.inputs.shape[1]
    kernel = Kernel.of(logarithms, n_inputs)
    matrix, parts = _matrix(kernel, rows)
    factor = linalg.cho_factor(matrix, lower=True)
    inverse = linalg.cho_solve(factor, np.eye(len(matrix)))
    weights = inverse @ values
    n_outputs = values.shape[1]
    fit = 0.5 * float((values * weights).sum())
    diagonal = np.diag(factor[0])
    half_log_determinant = float(np.log(diagonal).sum())
    loss = fit + n_outputs * half_log_determinant

    explained = weights @ weights.T
    outer = 0.5 * (n_outputs * inverse - explained)  # (n, n): by the matrix
    by_amplitude = []
    for part in parts:
        moved_by = (outer * part).sum()
        by_amplitude.append(float(moved_by))
    # A length acts where E does: Σ M (x_i − x_j)² = 2 (Σ x² M 1 − xᵀ M x) for each input.
    common = kernel.amplitudes[0] * parts[0]
    own = kernel.amplitudes[2] * parts[2]
    moved = outer * (common + own)
    X = rows.inputs
    totals = moved.sum(axis=1)
    of_squares = (X**2).T @ totals  # (p,)
    pulled = moved @ X
    of_products = (X * pulled).sum(axis=0)  # (p,)
    squares = 2 * (of_squares - of_products)
    by_length = squares / kernel.lengths**2
    if len(logarithms) == N_AMPLITUDES + 1:
        by_length = by_length.sum(keepdims=True)
    return loss, np.append(kernel.amplitudes * by_amplitude, by_length)
