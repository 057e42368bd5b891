"""The metrics that are reported, of plain arrays and many tasks: larger is better."""

from __future__ import annotations

from typing import Literal

import numpy as np

from softshare.shallow.rows import Array, Codes, Kind, row_losses

Metric = Literal["r2", "mean-rmse", "roc-auc", "accuracy", "log-loss"]
METRICS = ("r2", "mean-rmse", "roc-auc", "accuracy", "log-loss")


def score(metric: Metric, outputs: Array, targets: Array, tasks: Codes, kind: Kind) -> float:
    """One number that grows with what a report shows.

    ``r2`` and ``accuracy`` go over all rows; ``mean-rmse`` and ``roc-auc`` are means over tasks.

    Args:
        metric: What is reported.
        outputs: Means, log-odds, or one logit a class. Shape (N,) or (N, C).
        targets: Shape (N,).
        tasks: Shape (N,).
        kind: What the targets are.

    Raises:
        ValueError: If there is no such metric.
    """
    if metric == "roc-auc":
        areas = task_areas(outputs, targets, tasks)
        return float(np.nanmean(areas)) if np.isfinite(areas).any() else 0.5
    losses = row_losses(outputs, targets, kind)
    if metric == "r2":
        return float(1 - losses.mean() / max(targets.var(), 1e-300))
    if metric == "mean-rmse":
        counts = np.bincount(tasks)
        means = np.bincount(tasks, losses)[counts > 0] / counts[counts > 0]
        return float(-np.sqrt(means).mean())
    if metric == "log-loss":
        return float(-losses.mean())
    if metric == "accuracy":
        chosen = outputs > 0 if kind == "binary" else outputs.argmax(axis=1)
        # A thousandth of the loss decides between weights with one accuracy.
        return float((chosen == targets).mean() - 1e-3 * losses.mean())
    raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")


def task_areas(outputs: Array, labels: Array, tasks: Codes) -> Array:
    """Each task's area under the ROC curve, NaN without both classes. Shape (T,).

    The Mann–Whitney statistic from ranks within tasks; equal outputs share their mean rank.
    """
    order = np.lexsort((outputs, tasks))
    values, own, positive = outputs[order], tasks[order], labels[order] == 1
    new = np.r_[True, (values[1:] != values[:-1]) | (own[1:] != own[:-1])]
    ties = np.cumsum(new) - 1
    places = np.bincount(ties, np.arange(len(values))) / np.bincount(ties)
    counts = np.bincount(tasks)
    starts = np.cumsum(counts) - counts
    ranks = places[ties] - starts[own] + 1
    n_positive = np.bincount(own[positive], minlength=len(counts))
    rank_sums = np.bincount(own[positive], ranks[positive], minlength=len(counts))
    pairs = n_positive * (counts - n_positive)
    areas = (rank_sums - n_positive * (n_positive + 1) / 2) / np.maximum(pairs, 1)
    return np.where(pairs > 0, areas, np.nan)
