"""How well a task is learned: every metric is one entry of :data:`METRICS`.

All that is known of a metric stands in its entry: how it is computed, for which tasks, whether more
of it is better, and how it is written. Whoever compares, explains or draws reads it there, so a new
metric is one more entry.
"""

from __future__ import annotations

import numpy as np

from softshare.tasks.arguments import ArgumentError
from softshare.tasks.class_metrics import CLASS_METRICS
from softshare.tasks.metric import Metric
from softshare.tasks.number_metrics import NUMBER_METRICS
from softshare.tasks.task import KINDS, Kind, Task

RELATIVE = "relative"
"""The metric of a mean over tasks that differ in metric."""

METRICS: tuple[Metric, ...] = (
    *CLASS_METRICS,
    *NUMBER_METRICS,
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
        ArgumentError: there is none; the message lists those of single tasks.
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
        ArgumentError: the override does not apply to the task's kind.
    """
    allowed = [metric.name for metric in metrics_of(task.kind)]
    if override is None:
        return allowed[0]
    if override not in allowed:
        choices = f"choose from {', '.join(allowed)}"
        refusal = f"{override!r} does not apply to {task.kind} task {task.label!r}; {choices}"
        raise ArgumentError(("metric", refusal))
    return override


def task_metrics(
    task: Task,
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
) -> dict[str, float | None]:
    """All metrics of one task that follow from its outputs; None where one cannot be computed (a
    single class among the targets).

    Args:
        task: the task.
        outputs: logits or values, ``(N, n_outputs)``.
        targets: ``(N,)``.
        weights: how much each row counts, above 0, ``(N,)``; None: all the same.

    Returns:
        RMSE and MAE are in the units of the targets: standard deviations of the training targets
        once they are standardised.
    """
    of_rows = np.ones((1, len(targets))) if weights is None else weights[None]
    values: dict[str, float | None] = {}
    for metric in metrics_of(task.kind):
        if metric.measure is not None:
            (value,) = weighted_metric(
                metric,
                outputs,
                targets,
                of_rows,
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
