"""Estimates of several tasks, each drawn towards their mean by as much as it is uncertain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from softshare.evaluation.intervals import moderated

LEAST_VARIANCE = 0.01
"""Of a row, in parts of the tasks' mean: a few rows that happen to agree are not certain."""


@dataclass(
    frozen=True,
    eq=False,
)
class Pooled:
    """Estimates after pooling.

    Args:
        mean: over the tasks, of which uncertain ones count less.
        mean_variance: of it, for these tasks.
        spread: the standard deviation between tasks that is no chance.
        values: of every task, ``(T,)``.
        variances: of these, ``(T,)``.
    """

    mean: float
    mean_variance: float
    spread: float
    values: np.ndarray
    variances: np.ndarray

    def interval(self, level: float) -> tuple[float, float]:
        """Of the mean."""
        half = norm.ppf((1 + level) / 2) * np.sqrt(self.mean_variance)
        return self.mean - float(half), self.mean + float(half)

    def intervals(self, level: float) -> np.ndarray:
        """Of every task, ``(T, 2)``."""
        half = norm.ppf((1 + level) / 2) * np.sqrt(self.variances)
        return np.stack(
            [self.values - half, self.values + half],
            axis=1,
        )


def pooled(
    values: np.ndarray, variances: np.ndarray, rows: np.ndarray, *, same_rows: bool = False
) -> Pooled:
    """Draw estimates together.

    The tasks' true values come from N(μ, τ²), and each estimate is its true value and noise of
    variance s². τ² is the moment estimate of DerSimonian and Laird (1986, "Meta-analysis in
    clinical trials", equation 8), and a task's value is μ + (x − μ) τ² / (τ² + s²), with the
    uncertainty of μ in its variance (Morris 1983, "Parametric empirical Bayes inference"). A
    variance from ten rows is itself a guess: variances a row are drawn together first.

    Args:
        values: estimates, ``(T,)``.
        variances: of their noise, ``(T,)``.
        rows: behind each, ``(T,)``.
        same_rows: the tasks are judged by the same rows, so that their noise may go together.
    """
    noise = _steadied(
        variances,
        rows,
    )
    if not noise.any():
        return Pooled(
            float(values.mean()),
            0.0,
            float(values.std()),
            values,
            noise,
        )
    spread = _between(
        values,
        noise,
    )
    weights = 1 / (spread + noise)
    parts = weights / weights.sum()
    mean = float(parts @ values)
    deviation = np.sqrt(noise)
    mean_variance = (parts @ deviation) ** 2 if same_rows else (parts**2) @ noise
    own = spread * weights
    # how far the mean of these tasks is from that of all tasks like them counts for a task's own
    variance_of_centre = 1 / weights.sum()
    drawn = mean + own * (values - mean)
    variance = own * noise + (1 - own) ** 2 * variance_of_centre
    return Pooled(
        mean,
        float(mean_variance),
        float(np.sqrt(spread)),
        drawn,
        variance,
    )


def _steadied(variances: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Variances of the estimates, of which those of few rows are drawn to the others'."""
    of_row = variances * rows
    drawn, _ = moderated(
        of_row,
        np.maximum(
            rows - 1.0,
            0.0,
        ),
    )
    least = LEAST_VARIANCE * of_row.mean()
    steady: np.ndarray = (
        np.maximum(
            drawn,
            least,
        )
        / rows
    )
    return steady


def _between(values: np.ndarray, noise: np.ndarray) -> float:
    """τ² by moments."""
    weights = 1 / noise
    total = weights.sum()
    mean = weights @ values / total
    excess = weights @ (values - mean) ** 2 - (len(values) - 1)
    scale = total - (weights**2).sum() / total
    return (
        float(
            max(
                excess / scale,
                0.0,
            )
        )
        if scale > 0
        else 0.0
    )
