"""Sums over a task's rows that say all a squared loss needs to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from softshare.shallow.task_rows import TaskRows

LARGEST = 2**29
"""Most numbers of all Gram matrices together, 4 GiB."""


@dataclass(frozen=True)
class Moments:
    """Every task's sums of weights ω, inputs, targets and their products.

    Moments add: those of a fold's other rows are all rows' less the fold's.

    Shape:
        ``weight``, ``y``, ``yy`` ``(T,)``; ``x``, ``xy`` ``(T, D)``; ``xx (T, D, D)``, or
        ``(1, D, D)`` where all tasks have the same inputs.
    """

    weight: np.ndarray
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    def __sub__(self, other: Moments) -> Moments:
        # Rows are about the mean of all rows: what is subtracted is of the size of what is left.
        return Moments(
            self.weight - other.weight,
            self.x - other.x,
            self.y - other.y,
            self.xx - other.xx,
            self.xy - other.xy,
            self.yy - other.yy,
        )

    def quadratic(self, free: np.ndarray) -> Quadratic:
        """The squared loss as a function of the weights, at the best intercepts for them.

        Args:
            free: which tasks have an intercept, ``(T,)``.
        """
        # Sums about the task's mean, Σ ω (x − x̄)(x − x̄)ᵀ = Σ ω x xᵀ − (Σ ω x)(Σ ω x)ᵀ / Σ ω.
        share = free / np.maximum(self.weight, np.finfo(float).tiny)
        scaled = self.x * share[:, None]
        # With the same rows in all tasks the first task's sums are everybody's.
        n_grams = len(self.xx)
        columns = scaled[:n_grams, :, None]
        rows = self.x[:n_grams, None, :]
        gram = self.xx - columns * rows  # (T, D, D) or (1, D, D)
        linear = self.xy - scaled * self.y[:, None]
        constant = self.yy - share * self.y**2
        return Quadratic(gram, linear, float(constant.sum()))

    def intercepts(self, coef: np.ndarray) -> np.ndarray:
        """Each task's best intercept beside these weights; a task without rows has the mean.

        Shape:
            ``coef (T, D)`` → ``(T,)``.
        """
        seen = self.weight > 0
        explained = np.einsum("td,td->t", self.x, coef)
        residual = self.y - explained
        intercepts = residual / np.where(seen, self.weight, 1.0)
        average = intercepts[seen].mean() if seen.any() else 0.0
        return np.where(seen, intercepts, average)


@dataclass(frozen=True)
class Quadratic:
    """``½ Σ_t (w_tᵀ G_t w_t − 2 c_tᵀ w_t) + ½ constant``, a squared loss of all tasks' weights.

    Shape:
        ``gram (T, D, D)`` or ``(1, D, D)``, ``linear (T, D)``.
    """

    gram: np.ndarray
    linear: np.ndarray
    constant: float

    def gradient(self, coef: np.ndarray) -> np.ndarray:
        """``G_t w_t − c_t`` for every task.

        Shape:
            ``(T, D)`` → ``(T, D)``.
        """
        return self._applied(coef) - self.linear

    def value(self, coef: np.ndarray) -> float:
        """``½ Σ_t ‖X_t w_t − y_t‖²``, never below zero by rounding."""
        slope = self._applied(coef) - 2 * self.linear
        twice = np.vdot(coef, slope) + self.constant
        return max(float(twice), 0.0) / 2

    @cached_property
    def lipschitz(self) -> float:
        """The largest curvature of any task, found once for all strengths."""
        curvatures = np.linalg.eigvalsh(self.gram)  # (T, D), the largest last
        largest = curvatures[:, -1]
        return float(largest.max(initial=0.0))

    def _applied(self, coef: np.ndarray) -> np.ndarray:
        """``G_t w_t`` for every task, ``(T, D)``."""
        if len(self.gram) == 1:
            return coef @ self.gram[0]  # G is symmetric
        products = np.matmul(self.gram, coef[:, :, None])  # (T, D, 1)
        return products[:, :, 0]


def moments(rows: TaskRows) -> Moments:
    """The sums over all rows, each of weight 1."""
    ones = [np.ones(len(targets)) for targets in rows.targets]
    return weighted_moments(rows, ones, rows.targets)


def weighted_moments(
    rows: TaskRows, weights: Sequence[np.ndarray], weighted_targets: Sequence[np.ndarray]
) -> Moments:
    """The sums over rows that carry weights.

    Args:
        rows: the inputs; their targets are not read.
        weights: ω, every row's weight.
        weighted_targets: ω y, which stays finite where a weight vanishes.

    Raises:
        ValueError: the Gram matrices are too large to hold.
    """
    unweighted = all((weight == 1).all() for weight in weights)
    # Weights differ from task to task, and so do the Gram matrices of rows that carry them.
    same = rows.shared_inputs and unweighted
    n_tasks = len(rows.names)
    n_features = rows.inputs[0].shape[1]
    n_grams = 1 if same else n_tasks
    if n_grams * n_features**2 > LARGEST:
        raise ValueError(
            f"X: {n_grams} Gram matrices of {n_features} features are more than the 4 GiB that "
            "they may take; give fewer features, for instance their principal components"
        )
    total = np.empty(n_tasks)
    x = np.empty((n_tasks, n_features))
    y = np.empty(n_tasks)
    xx = np.empty((n_grams, n_features, n_features))
    xy = np.empty((n_tasks, n_features))
    yy = np.empty(n_tasks)
    for task, inputs in enumerate(rows.inputs):
        weight = weights[task]
        target = weighted_targets[task]
        total[task] = weight.sum()
        y[task] = target.sum()
        x[task] = weight @ inputs
        xy[task] = target @ inputs
        # Σ ω y² from ω y; rows of weight zero count for nothing.
        plain = np.zeros(len(weight))
        np.divide(target, weight, where=weight > 0, out=plain)
        yy[task] = target @ plain
        if task < n_grams:
            scaled = inputs if unweighted else inputs * np.sqrt(weight)[:, None]
            xx[task] = scaled.T @ scaled  # one array twice: BLAS computes half of it
    return Moments(
        total,
        x,
        y,
        xx,
        xy,
        yy,
    )
