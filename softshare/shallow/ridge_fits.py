"""One task's ridge or logistic regression, for given strengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from softshare.shallow.rows import Array, Rows, one_vs_rest

# Of a log-odds intercept around the log-odds of the task's own rate (half a row added to each
# class): just enough to hold it where a task has seen one class.
INTERCEPT_PRECISION = 0.1


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
    which is near. Newton's method needs fewer steps, and none so long that it runs away, as it can
    where a class is rare and it starts from the rate alone.

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
    found = start.copy()
    for column in range(labels.shape[1]):
        prior = np.zeros(n_columns)
        prior[-1] = centre[column]
        beta = found[:, column]
        for _ in range(20):
            mean = expit(design @ beta)
            pull = penalty * (beta - prior)
            slope = design.T @ (rows.weights * (labels[:, column] - mean)) - pull
            weights = rows.weights * np.maximum(mean * (1 - mean), 1e-6)
            curvature = (design.T * weights) @ design + np.diag(penalty)
            step = np.linalg.solve(curvature, slope)
            beta += step
            if np.abs(step).max() < 1e-6:
                break
    return found
