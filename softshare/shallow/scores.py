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
    weights: Array | None = None,
) -> float:
    """One number that grows with what a report shows.

    ``mean-rmse``, ``mean-mae`` and ``roc-auc`` are means over tasks; the others go over all rows.

    Args:
        metric: What is reported.
        outputs: Means, log-odds, or one logit a class. Shape (N,) or (N, C).
        targets: Shape (N,).
        tasks: Shape (N,).
        kind: What the targets are.
        weights: How much each row counts; None: all the same. Shape (N,).

    Raises:
        ValueError: If there is no such metric.
    """
    if metric == "roc-auc":
        areas = task_areas(outputs, targets, tasks, weights)
        # Without a task of both classes nothing ranks better or worse than chance.
        any_task = np.isfinite(areas).any()
        return float(np.nanmean(areas)) if any_task else 0.5
    if metric == "mean-mae":
        return -float(_means(np.abs(targets - outputs), tasks, weights).mean())
    if metric == "brier":
        return -_mean(_squared_distances(outputs, targets, kind), weights)
    losses = row_losses(outputs, targets, kind)
    if metric == "r2":
        away = (targets - _mean(targets, weights)) ** 2
        return 1 - _mean(losses, weights) / max(_mean(away, weights), 1e-300)
    if metric == "mean-rmse":
        return -float(np.sqrt(_means(losses, tasks, weights)).mean())
    if metric == "log-loss":
        return -_mean(losses, weights)
    if metric == "accuracy":
        # A thousandth of the loss decides between weights with one accuracy.
        is_right = _is_right(outputs, targets, kind)
        return _mean(is_right, weights) - 1e-3 * _mean(losses, weights)
    raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")


def _mean(values: Array, weights: Array | None) -> float:
    """The mean over all rows."""
    return float(np.average(values, weights=weights))


def _means(values: Array, tasks: Codes, weights: Array | None) -> Array:
    """Each task's mean; a task without rows has none. Shape (tasks with rows,)."""
    counts = np.bincount(tasks, weights)
    sums = np.bincount(tasks, values if weights is None else values * weights)
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
    missed = softmax(outputs, axis=1) - is_of_class
    squares = (missed**2).sum(axis=1)
    return np.asarray(squares / 2)


def _is_right(
    outputs: Array,
    targets: Array,
    kind: Kind,
) -> Array:
    """Whether each row's class is right, 1 or 0. Shape (N,)."""
    chosen = outputs > 0 if kind == "binary" else outputs.argmax(axis=1)
    is_right = chosen == targets
    return is_right.astype(float)


def task_areas(
    outputs: Array,
    labels: Array,
    tasks: Codes,
    weights: Array | None = None,
) -> Array:
    """Each task's area under the ROC curve, NaN without both classes. Shape (T,).

    The weight of the pairs of a positive and a negative row in the right order, equal outputs
    half, by all the weight there is. All tasks are ordered in one sort, whatever their number:

        task      0    0    0    1    1
        output   .2   .7   .7   .1   .4
        label     0    1    0    0    1
        tie       0    1    1    2    3      runs of equal outputs of one task
        below     –    1    –    –    1      negatives of the task before the run
        tied      –    1    –    –    0      negatives of the run, half of which count

    Args:
        outputs: Shape (N,).
        labels: 0 or 1. Shape (N,).
        tasks: Shape (N,).
        weights: How much each row counts; None: all the same. Shape (N,).
    """
    # The last key sorts first: task by task, and in a task by output.
    order = np.lexsort((outputs, tasks))
    values = outputs[order]
    own = tasks[order]
    counts = np.ones(len(order)) if weights is None else weights[order]
    is_positive = labels[order] == 1

    other_value = values[1:] != values[:-1]
    other_task = own[1:] != own[:-1]
    begins = np.r_[True, other_value | other_task]
    tie = np.cumsum(begins) - 1  # (N,): which run of equal outputs a row is in
    task_of_tie = own[begins]
    positives = np.bincount(tie, counts * is_positive)
    negatives = np.bincount(tie, counts * ~is_positive)

    of_task = np.bincount(task_of_tie, negatives)
    before_task = np.cumsum(of_task) - of_task
    below = np.cumsum(negatives) - negatives - before_task[task_of_tie]
    ordered = np.bincount(task_of_tie, positives * (below + negatives / 2))
    pairs = np.bincount(task_of_tie, positives) * of_task
    return np.where(pairs > 0, ordered / np.where(pairs > 0, pairs, 1), np.nan)
