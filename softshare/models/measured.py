"""How well a model does, task by task, in the targets' own units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from softshare.evaluation.resampling import resampled_metrics
from softshare.tasks.metrics import primary_metric, task_metrics
from softshare.tasks.task_set import TaskSet

INSIDE = (0.025, 0.975)
"""What lies between these parts of a metric's values under random weights of the rows is its 95 %
interval."""

Row = dict[str, Any]
"""``task``, ``kind``, ``rows``, ``metric``, ``value``, ``interval`` and all ``metrics``."""


def measured(
    tasks: TaskSet, outputs: Sequence[np.ndarray], *, metric: str | None = None
) -> list[Row]:
    """A row for every task that has examples.

    Args:
        tasks: prepared.
        outputs: of every task on them, ``(N_t, n_outputs_t)``, in the prepared targets' unit.
        metric: the one that stands first, instead of each kind's own.

    Raises:
        ArgumentError: the metric does not suit a task.
    """
    tasks, outputs = in_own_units(tasks, outputs)
    kept = np.flatnonzero(tasks.n_examples > 0)
    tasks, outputs = tasks.keep_tasks(kept), [outputs[number] for number in kept]
    if not len(kept):
        return []
    resampled = resampled_metrics(tasks, outputs, metric=metric)
    rows = []
    for number, task in enumerate(tasks.tasks):
        targets = tasks.targets[tasks.entries(number)]
        metrics = task_metrics(task, outputs[number], targets, tasks.weights_of(number))
        name = primary_metric(task, metric)
        of_task = resampled.get(task.label)
        rows.append(
            {
                "task": task.label,
                "kind": task.kind,
                "rows": len(targets),
                "metric": name,
                "value": metrics.get(name),
                "interval": None if of_task is None else _interval(of_task["values"]),
                "metrics": metrics,
            }
        )
    return rows


def in_own_units(tasks: TaskSet, outputs: Sequence[np.ndarray]) -> tuple[TaskSet, list[np.ndarray]]:
    """Prepared examples with targets and outputs as they were before targets were standardised."""
    scaling = tasks.target_scaling
    if scaling is None:
        return tasks, list(outputs)
    mean, deviation = scaling[tasks.task_of].T
    own = [rows * std + centre for rows, (centre, std) in zip(outputs, scaling, strict=True)]
    return replace(tasks, targets=tasks.targets * deviation + mean, target_scaling=None), own


def _interval(values: Sequence[float]) -> list[float]:
    return [float(end) for end in np.quantile(values, INSIDE)]
