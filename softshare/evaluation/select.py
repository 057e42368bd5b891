"""The choice of settings on validation data: the same number of trials for every method.

Every method is tried on one split and start, those of :data:`SEARCH_SEED`, and its best trials once
more on others: on one alone the best of many trials is the luckiest. None of these seeds is among
the reported ones. Trials are judged by their split's validation part; its test part is never looked
at. The splits are drawn from one data set, so a row that validates here may test under a reported
seed. That favours no method: all have the same trials, the baseline included.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import fmean

from softshare.evaluation.records.records import Record
from softshare.tasks.metrics import metric_named

SEARCH_SEED = 1_000_003
"""Seed of the trials' split and start."""

FINALISTS = 3
FINAL_SEEDS = (SEARCH_SEED + 1, SEARCH_SEED + 2)
"""So many of the best trials run again with these seeds, and the best mean wins."""


def runs_of_search(trials: int) -> int:
    """Runs that a search makes for every method and fraction, the finalists' included."""
    if trials < 2:
        return trials
    finalists = min(FINALISTS, trials)
    return trials + finalists * len(FINAL_SEEDS)


def score(record: Record | None) -> float | None:
    """How good a trial is on validation data: the tasks' mean metric, signed so that more is
    better.

    Where the tasks differ in metric, or none can be computed, minus their mean loss. None for a run
    without values.
    """
    if record is None:
        return None
    measured = record["metrics"].get("validation")
    if not measured:
        return None
    metrics = set()
    of_tasks = []
    for task in record["data"]["tasks"]:
        metrics.add(task["metric"])
        of_task = measured.get(task["name"])
        if of_task is not None:
            of_tasks.append(of_task[task["metric"]])
    values = _known(of_tasks)
    if len(metrics) == 1 and values:
        return metric_named(metrics.pop()).sign * fmean(values)
    losses = _known(row["loss"] for row in measured.values())
    return -fmean(losses) if losses else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]
