"""How well a task is learned: every metric is one entry of :data:`METRICS`.

All that is known of a metric stands in its entry: how it is computed, for which tasks, whether more
of it is better, and how it is written. Whoever compares, explains or draws reads it there, so a new
metric is one more entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task import KINDS, Kind, Task

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(outputs ``(N, n_outputs)``, targets ``(N,)``, weights of the rows ``(B, N)``) → ``(B,)``: the
metric under each of ``B`` weightings, NaN where it cannot be computed."""


@dataclass(frozen=True)
class Metric:
    """What is known of one metric.

    Args:
        name: by which arguments and records name it.
        title: how it is written in sentences and tables.
        note: what it says, and its best value.
        better: whether a greater or a smaller value is better.
        points: it lies between 0 and 1, and gains are told in hundredths of it.
        kinds: of the tasks that it measures; none for a metric of a task set as a whole.
        measure: computes it from outputs and targets; None where it comes from elsewhere (the
            loss from the training objective, a joint error from all tasks at once).
        unit: of its values, where they have one.
    """

    name: str
    title: str
    note: str
    better: Literal["greater", "smaller"]
    points: bool = False
    kinds: tuple[Kind, ...] = ()
    measure: Measure | None = None
    unit: str = ""

    @property
    def sign(self) -> int:
        """1 where a greater value is better, else −1."""
        return 1 if self.better == "greater" else -1


def roc_auc(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The weight of the pairs (positive, negative) in the right order; ties count one half."""
    scores = outputs[:, 0]
    order = np.argsort(scores, kind="stable")
    weights, positive = weights[:, order], targets[order] > 0
    new_level = np.append(True, np.diff(scores[order]) > 0)
    first_of_level = np.flatnonzero(new_level)
    # (B, levels): the weight of either class at each different score, from the lowest on
    positives = np.add.reduceat(weights * positive, first_of_level, axis=1)
    negatives = np.add.reduceat(weights * ~positive, first_of_level, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    ordered = (positives * (below + negatives / 2)).sum(axis=1)
    return _ratio(ordered, positives.sum(axis=1) * negatives.sum(axis=1))


def accuracy(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The weight of the right decisions."""
    return _mean(_decided(outputs) == targets, weights)


def balanced_error(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``1 −`` the mean recall of the classes present."""
    right = _decided(outputs) == targets
    recalls = []
    for label in np.unique(targets):
        of_class = targets == label
        recalls.append(_mean(right[of_class], weights[:, of_class]))
    return 1 - np.mean(recalls, axis=0)


def f1(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``2 TP / (2 TP + FP + FN)``; none without a positive target."""
    decided, positive = outputs[:, 0] > 0, targets > 0
    if not positive.any():
        return np.full(len(weights), np.nan)
    # Every row that is positive or called so is in the denominator, those that are both twice.
    hits = weights @ (decided & positive)
    return _ratio(2 * hits, weights @ decided + weights @ positive)


def rmse(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The root of the mean squared error."""
    root: np.ndarray = np.sqrt(_mean((targets - outputs[:, 0]) ** 2, weights))
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
    distances = (targets - _mean(targets, weights)[:, None]) ** 2
    total = (weights * distances).sum(axis=1)
    return 1 - _ratio(weights @ (targets - outputs[:, 0]) ** 2, total)


RELATIVE = "relative"
"""The metric of a mean over tasks that differ in metric."""

METRICS: tuple[Metric, ...] = (
    Metric(
        "roc_auc",
        "ROC-AUC",
        "The chance that a positive example is ranked above a negative one; 0.5 is guessing, 1 is "
        "perfect",
        better="greater",
        points=True,
        kinds=("binary",),
        measure=roc_auc,
    ),
    Metric(
        "accuracy",
        "accuracy",
        "The fraction of right decisions; 1 is perfect",
        better="greater",
        points=True,
        kinds=("binary", "multiclass"),
        measure=accuracy,
    ),
    Metric(
        "balanced_error",
        "balanced error",
        "The fraction of wrong decisions, every class counting the same; 0 is perfect",
        better="smaller",
        points=True,
        kinds=("binary", "multiclass"),
        measure=balanced_error,
    ),
    Metric(
        "f1",
        "F1",
        "The harmonic mean of precision and recall of the positive class; 1 is perfect",
        better="greater",
        points=True,
        kinds=("binary",),
        measure=f1,
    ),
    Metric(
        "rmse",
        "RMSE",
        "The root of the mean squared error, in standard deviations of the training targets; 0 is "
        "perfect, 1 no better than the mean",
        better="smaller",
        kinds=("regression",),
        measure=rmse,
        unit="standard deviations of the target",
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
        "loss",
        "loss",
        "The mean training loss on the test part; lower is better",
        better="smaller",
        kinds=KINDS,
    ),
    Metric(
        "multiclass_error",
        "joint error",
        "The fraction of rows for which the task of the highest output is the wrong one; 0 is "
        "perfect",
        better="smaller",
        points=True,
    ),
    Metric(
        RELATIVE,
        "relative gain",
        "The gain divided by independent learning's value, since the tasks have different metrics",
        better="greater",
    ),
)
"""All metrics; the first of a kind of task is the one by which such tasks are compared."""


def metric_named(name: str) -> Metric:
    """The metric of this name.

    Raises:
        ValueError: there is none; the message lists those of single tasks.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    known = ", ".join(names_of_task_metrics())
    raise ArgumentError(("metric", f"there is no metric {name!r}; choose from {known}"))


def names_of_task_metrics() -> list[str]:
    """The metrics by which tasks can be compared."""
    return [metric.name for metric in METRICS if metric.kinds]


def metrics_of(kind: Kind) -> tuple[Metric, ...]:
    """The metrics of a kind of task, the primary one first."""
    return tuple(metric for metric in METRICS if kind in metric.kinds)


def primary_metric(task: Task, override: str | None = None) -> str:
    """The metric by which a task is compared.

    Raises:
        ValueError: the override does not apply to the task's kind.
    """
    allowed = [metric.name for metric in metrics_of(task.kind)]
    if override is None:
        return allowed[0]
    if override not in allowed:
        raise ValueError(
            f"metric {override!r} does not apply to {task.kind} task {task.label!r}; "
            f"choose from {', '.join(allowed)}"
        )
    return override


def task_metrics(
    task: Task,
    outputs: np.ndarray,
    targets: np.ndarray,
) -> dict[str, float | None]:
    """All metrics of one task that follow from its outputs; None where one cannot be computed (a
    single class among the targets).

    Args:
        task: the task.
        outputs: logits or values, ``(N, n_outputs)``.
        targets: ``(N,)``.

    Returns:
        RMSE is in the units of the targets: standard deviations of the training targets once they
        are standardised.
    """
    every_row_once = np.ones((1, len(targets)))
    values: dict[str, float | None] = {}
    for metric in metrics_of(task.kind):
        if metric.measure is not None:
            (value,) = weighted_metric(
                metric,
                outputs,
                targets,
                every_row_once,
            )
            values[metric.name] = float(value) if np.isfinite(value) else None
    return values


def weighted_metric(
    metric: Metric,
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """One metric under several weightings of the rows, NaN where it cannot be computed.

    Shape:
        outputs ``(N, n_outputs)``, targets ``(N,)``, weights ``(B, N)``, result ``(B,)``.
    """
    if metric.measure is None or len(targets) == 0 or not np.isfinite(outputs).all():
        return np.full(len(weights), np.nan)
    return metric.measure(outputs.astype(np.float64), targets, weights)


def multiclass_error(outputs: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> float | None:
    """Error of the joint decision of one-vs-all tasks on the same rows: the task with the highest
    output.

    Args:
        outputs: for every task its logits ``(N, 1)``, the same rows in the same order.
        targets: for every task its 0/1 targets ``(N,)``.

    Returns:
        None where the tasks are not one-vs-all: some row belongs to no task or to several.
    """
    if len({len(column) for column in targets}) != 1 or len(targets) < 2:
        return None
    stacked = np.stack(targets, axis=1)
    if len(stacked) == 0 or not np.array_equal(stacked.sum(1), np.ones(len(stacked))):
        return None
    decided = np.concatenate(outputs, axis=1).argmax(1)
    return float(np.mean(decided != stacked.argmax(1)))


def _decided(outputs: np.ndarray) -> np.ndarray:
    """The class that each row is said to have: a single logit decides by its sign."""
    return outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of ``(N,)`` values under each weighting, ``(B,)``."""
    return _ratio(weights @ values, weights.sum(axis=1))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A quotient, NaN where there is nothing to divide by."""
    quotient = np.full(len(above), np.nan)
    np.divide(
        above,
        below,
        out=quotient,
        where=below > 0,
    )
    return quotient
