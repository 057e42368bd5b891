"""One task's ridge or logistic regression, for given strengths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import expit, logit

from softshare.shallow.halved_steps import part_that_lowers
from softshare.shallow.rows import Array, Rows, one_vs_rest, row_losses

# Of a log-odds intercept around the log-odds of the task's own rate (half a row added to each
# class): just enough to hold it where a task has seen one class.
INTERCEPT_PRECISION = 0.1

MOST_STEPS = 50
"""Of Newton's method; ten are usual."""


def constant(rows: Rows) -> Array:
    """The mean, or the log-odds of the rate, as an intercept alone. Shape (p + 1, C)."""
    targets = one_vs_rest(rows)
    coefficients = np.zeros((rows.inputs.shape[1] + 1, targets.shape[1]))
    total = rows.row_weights.sum()
    sums = (rows.row_weights[:, None] * targets).sum(axis=0)
    if rows.kind == "regression":
        coefficients[-1] = sums / total
    else:
        # Half a row more of each class: a task with one class has no infinite log-odds.
        rates = (sums + 0.5) / (total + 1)
        coefficients[-1] = logit(rates)
    return coefficients


def fits_of(own: Rows, strengths: tuple[float, ...]) -> list[Array]:
    """One task's coefficients for every strength, in one rotation of its rows.

    Classes are fitted from the strongest to the weakest: each fit starts where the last one ended,
    which is near, so that Newton's method needs fewer steps.

    Shape of each: (p + 1, C).
    """
    targets = one_vs_rest(own)
    weights = own.row_weights
    # Rows times the root of their weight: plain least squares of them is the weighted one.
    roots = np.sqrt(weights)[:, None]
    centre = (weights[:, None] * own.inputs).sum(axis=0) / weights.sum()
    # Rows see inputs only through at most n directions: (n, m), (m,), (m, p) with m ≤ n.
    U, lengths, directions = np.linalg.svd(roots * (own.inputs - centre), full_matrices=False)
    alone = constant(own)
    nearest = np.zeros((len(lengths), targets.shape[1]))
    nearest = np.vstack([nearest, alone[-1]])
    fits = {}
    for strength in sorted(strengths, reverse=True):
        coefficients = alone.copy()
        if own.kind == "regression":
            shrunk = lengths / (lengths**2 + strength)
            turned = shrunk[:, None] * (U.T @ (roots * targets))  # (m, C)
        else:
            problem = Labels(U * lengths / roots, targets, weights)
            nearest = logistic(problem, strength, alone[-1], nearest)
            turned, coefficients[-1] = nearest[:-1], nearest[-1]
        coefficients[:-1] = directions.T @ turned
        coefficients[-1] -= centre @ coefficients[:-1]
        fits[strength] = coefficients
    return [fits[strength] for strength in strengths]


@dataclass(frozen=True)
class Labels:
    """One task's rows as logistic regression takes them."""

    inputs: Array  # (n, m)
    labels: Array  # (n, C)
    weights: Array  # (n,)


def logistic(
    rows: Labels,
    strength: float,
    centre: Array,
    start: Array,
) -> Array:
    """Newton's method for each class. Shapes: (C,), (m + 1, C) to (m + 1, C)."""
    labels = rows.labels
    ones = np.ones(len(labels))
    design = np.column_stack([rows.inputs, ones])
    n_columns = design.shape[1]
    penalty = np.full(n_columns, strength)
    penalty[-1] = INTERCEPT_PRECISION
    found = np.empty_like(start)
    for column in range(labels.shape[1]):
        prior = np.zeros(n_columns)
        prior[-1] = centre[column]
        problem = _Penalised(design, labels[:, column], rows.weights, penalty, prior)
        found[:, column] = problem.minimum(start[:, column])
    return found


@dataclass(frozen=True)
class _Penalised:
    """Minus the log-likelihood of labels, and a normal prior's."""

    design: Array  # (n, k)
    labels: Array  # (n,)
    weights: Array  # (n,)
    penalty: Array  # (k,)
    prior: Array  # (k,)

    def value(self, beta: Array) -> float:
        """Of these coefficients."""
        outputs = self.design @ beta
        losses = self.weights @ row_losses(outputs, self.labels, "binary")
        away = beta - self.prior
        return float(losses + self.penalty @ away**2 / 2)

    def minimum(self, start: Array) -> Array:
        """By Newton's method."""
        beta, value = start, self.value(start)
        for _ in range(MOST_STEPS):
            step = self._newton_step(beta)
            after = partial(self._value_after, beta, step)
            part, value = part_that_lowers(after, value)
            beta = beta + part * step
            if part == 0 or np.abs(step).max() < 1e-6:
                break
        return beta

    def _value_after(self, beta: Array, step: Array, part: float) -> float:
        return self.value(beta + part * step)

    def _newton_step(self, beta: Array) -> Array:
        mean = expit(self.design @ beta)
        pull = self.penalty * (beta - self.prior)
        slope = self.design.T @ (self.weights * (self.labels - mean)) - pull
        weights = self.weights * np.maximum(mean * (1 - mean), 1e-6)
        curvature = (self.design.T * weights) @ self.design + np.diag(self.penalty)
        return np.asarray(np.linalg.solve(curvature, slope))
