"""The metrics that are reported, of plain arrays and many tasks: larger is better."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit, softmax

from softshare.shallow.rows import Array, Codes, Kind, row_losses

Metric = Literal["r2", "mean-rmse", "mean-mae", "roc-auc", "accuracy", "log-loss", "brier"]
METRICS = ("r2", "mean-rmse", "mean-mae", "roc-auc", "accuracy", "log-loss", "brier")


def score(
    metric: Metric,
    outputs: Array,
    targets: Array,
    tasks: Codes,
    kind: Kind,
) -> float:
    """One number that grows with what a report shows.

    ``mean-rmse``, ``mean-mae`` and ``roc-auc`` are means over tasks; the others go over all rows.

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
        # Without a task of both classes nothing ranks better or worse than chance.
        any_task = np.isfinite(areas).any()
        return float(np.nanmean(areas)) if any_task else 0.5
    if metric == "mean-mae":
        return -float(_means(np.abs(targets - outputs), tasks).mean())
    if metric == "brier":
        return -float(_squared_distances(outputs, targets, kind).mean())
    losses = row_losses(outputs, targets, kind)
    if metric == "r2":
        spread = max(targets.var(), 1e-300)
        return float(1 - losses.mean() / spread)
    if metric == "mean-rmse":
        return -float(np.sqrt(_means(losses, tasks)).mean())
    if metric == "log-loss":
        return float(-losses.mean())
    if metric == "accuracy":
        # A thousandth of the loss decides between weights with one accuracy.
        return _accuracy(outputs, targets, kind) - 1e-3 * float(losses.mean())
    raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")


def _means(values: Array, tasks: Codes) -> Array:
    """Each task's mean; a task without rows has none. Shape (tasks with rows,)."""
    counts = np.bincount(tasks)
    sums = np.bincount(tasks, values)
    seen = counts > 0
    return np.asarray(sums[seen] / counts[seen])


def _squared_distances(
    outputs: Array,
    targets: Array,
    kind: Kind,
) -> Array:
    """Each row's squared distance of its classes' probabilities from what came, halved."""
    if kind == "binary":
        return np.asarray((expit(outputs) - targets) ** 2)
    is_of_class = targets[:, None] == np.arange(outputs.shape[1])
    return np.asarray(((softmax(outputs, axis=1) - is_of_class) ** 2).sum(axis=1) / 2)


def _accuracy(
    outputs: Array,
    targets: Array,
    kind: Kind,
) -> float:
    """The share of rows whose class is right."""
    chosen = outputs > 0 if kind == "binary" else outputs.argmax(axis=1)
    is_right = chosen == targets
    return float(is_right.mean())


def task_areas(
    outputs: Array,
    labels: Array,
    tasks: Codes,
) -> Array:
    """Each task's area under the ROC curve, NaN without both classes. Shape (T,).

    The Mann–Whitney statistic from ranks within tasks; equal outputs share their mean rank.
    All tasks are ranked in one sort, whatever their number:

        task     0    0    0    1    1
        output  .2   .7   .7   .1   .4
        place    0  1.5  1.5    3    4      mean position of equal outputs of a task
        rank     1  2.5  2.5    1    2      less the task's first position, from 1
    """
    # The last key sorts first: task by task, and in a task by output.
    order = np.lexsort((outputs, tasks))
    values = outputs[order]
    own = tasks[order]
    is_positive = labels[order] == 1

    other_value = values[1:] != values[:-1]
    other_task = own[1:] != own[:-1]
    begins = np.r_[True, other_value | other_task]
    tie = np.cumsum(begins) - 1  # (N,): which run of equal outputs a row is in
    positions = np.arange(len(values))
    places = np.bincount(tie, positions) / np.bincount(tie)

    counts = np.bincount(tasks)
    n_tasks = len(counts)
    starts = np.cumsum(counts) - counts
    ranks = places[tie] - starts[own] + 1

    n_positive = np.bincount(own[is_positive], minlength=n_tasks)
    rank_sums = np.bincount(own[is_positive], ranks[is_positive], minlength=n_tasks)
    n_pairs = n_positive * (counts - n_positive)
    # Positive rows outrank each other in n (n + 1) / 2 ways, which are no pairs of two classes.
    among_positives = n_positive * (n_positive + 1) / 2
    areas = (rank_sums - among_positives) / np.maximum(n_pairs, 1)
    return np.where(n_pairs > 0, areas, np.nan)
