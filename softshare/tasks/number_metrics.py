"""How well numbers are predicted."""

from __future__ import annotations

import numpy as np

from softshare.tasks.metric import Metric, ratio, weighted_mean


def rmse(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The root of the mean squared error."""
    root: np.ndarray = np.sqrt(weighted_mean((targets - outputs[:, 0]) ** 2, weights))
    return root


def r2(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``1 −`` the squared error over that of the mean of the targets; none of equal targets."""
    if np.all(targets == targets[0]):
        return np.full(len(weights), np.nan)
    # (B, N): each weighting has a mean of its own, from which its rows' distances are taken
    distances = (targets - weighted_mean(targets, weights)[:, None]) ** 2
    total = (weights * distances).sum(axis=1)
    return 1 - ratio(weights @ (targets - outputs[:, 0]) ** 2, total)


def mae(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The mean absolute error."""
    return weighted_mean(np.abs(targets - outputs[:, 0]), weights)


IN_DEVIATIONS = "standard deviations of the target"

NUMBER_METRICS: tuple[Metric, ...] = (
    Metric(
        "rmse",
        "RMSE",
        "The root of the mean squared error, in standard deviations of the training targets; 0 is "
        "perfect, 1 no better than the mean",
        better="smaller",
        kinds=("regression",),
        measure=rmse,
        unit=IN_DEVIATIONS,
    ),
    Metric(
        "r2",
        "R²",
        "The fraction of the variance that is explained; 1 is perfect, 0 is no better than the "
        "mean",
        better="greater",
        kinds=("regression",),
        measure=r2,
    ),
    Metric(
        "mae",
        "MAE",
        "The mean absolute error, in standard deviations of the training targets; 0 is perfect",
        better="smaller",
        kinds=("regression",),
        measure=mae,
        unit=IN_DEVIATIONS,
    ),
)
"""Metrics of regression tasks, the primary one first."""
