"""Columns that tell the target alone: copies of it, or what is known only afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

NEARLY_ALL = 0.995
"""ROC-AUC, rows told right, or rank correlation from which a column tells the target alone."""

FEW_CLASS_ROWS = 10
MOST_ROWS = 50_000
MOST_TARGETS = 20
"""Rows that are looked at, drawn at random where there are more; and targets."""

BY_CHANCE = 1e-6
"""How improbable it must be that values stand by chance in rows of one class only."""


def leak_cautions(tasks: TaskSet) -> Iterator[str]:
    """A line for every column of a table that tells a target alone, over all rows."""
    for number, source in enumerate(tasks.sources):
        if isinstance(source, EncodedColumns):
            for task, entries in _targets(tasks, number):
                yield from _of_target(
                    tasks,
                    source,
                    task,
                    entries,
                )


def _targets(tasks: TaskSet, source: int) -> Iterator[tuple[Task, np.ndarray]]:
    """The targets of a table and their entries: of tasks that are one column, all together."""
    numbers = np.flatnonzero(tasks.source_of == source)
    everything = np.flatnonzero(np.isin(tasks.task_of, numbers))
    has_several = len(np.unique(tasks.rows[everything])) < len(everything)
    if tasks.one_input or has_several:
        for number in numbers[:MOST_TARGETS]:
            entries = tasks.entries(number)
            yield tasks.tasks[number], np.arange(entries.start, entries.stop)
    elif len(numbers):
        yield tasks.tasks[numbers[0]], everything


def _of_target(
    tasks: TaskSet,
    table: EncodedColumns,
    task: Task,
    entries: np.ndarray,
) -> Iterator[str]:
    if len(entries) > MOST_ROWS:
        drawn = np.random.default_rng(0).choice(
            entries,
            MOST_ROWS,
            replace=False,
        )
        entries = np.sort(drawn)
    rows, targets = tasks.rows[entries], tasks.targets[entries]
    called = f"the target {task.label!r}" if tasks.one_input else "the target"
    for name in table.names:
        column = table.column(name, rows)
        told = _told_by(
            column,
            targets,
            task,
            is_category=name in table.categories,
        )
        if told is not None:
            yield (
                f"column {name!r} tells {called} alone ({told}): is it known before? "
                f"if not, leave it out (drop {name})"
            )
            continue
        only = _present_only(
            column,
            targets,
            task,
        )
        if only is not None:
            yield (
                f"column {name!r} {only}: is it known before? if not, leave it out (drop {name})"
            )


def _told_by(
    column: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    is_category: bool,
) -> str | None:
    """By how much a column tells the target, where that is nearly all."""
    there = np.isfinite(column)
    if there.sum() < 2 * FEW_CLASS_ROWS:
        return None
    column, targets = column[there], targets[there]
    if task.kind == "regression":
        # A target that never changes where the column is known goes along with nothing.
        if is_category or len(np.unique(column)) < 20 or np.ptp(targets) == 0:
            return None
        correlation = abs(np.corrcoef(_ranks(column), _ranks(targets))[0, 1])
        return f"rank correlation {correlation:.4f}" if correlation >= 0.9999 else None
    codes, counts = np.unique(targets, return_counts=True)
    if len(codes) < 2 or np.sort(counts)[-2] < FEW_CLASS_ROWS:
        return None
    cells = _cells(column, targets)
    if cells is not None:
        right = float(cells.max(axis=1).sum() / len(column))
        others = len(targets) - counts.max()
        missed = (1 - right) * len(targets)
        if right >= NEARLY_ALL and missed <= 0.05 * others:
            return f"right in {right:.1%} of all rows"
    if task.kind == "binary" and not is_category:
        area = _roc_auc(column, targets)
        return f"ROC-AUC {area:.4f}" if area >= NEARLY_ALL else None
    return None


def _cells(column: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    """How many rows have each value and class, ``(values, classes)``; None where values hardly come
    again.
    """
    values, codes = np.unique(column, return_inverse=True)
    if not len(values) or len(values) * 5 > len(column):
        return None
    n_classes = int(targets.max()) + 1
    of_cell = codes * n_classes + targets.astype(np.int64)
    counts = np.bincount(of_cell, minlength=len(values) * n_classes)
    return counts.reshape(len(values), n_classes)


def _settled(cells: np.ndarray) -> int | None:
    """A class whose rows are those of one value, and many; None where there is none."""
    n_rows = cells.sum()
    of_value = cells.sum(axis=1, keepdims=True)
    of_class = cells.sum(axis=0)
    is_alone = (cells == of_value) & (cells == of_class)
    is_some = (cells >= FEW_CLASS_ROWS) & (cells < n_rows)
    classes = np.flatnonzero((is_alone & is_some).any(axis=0))
    return int(classes[0]) if len(classes) else None


def _roc_auc(scores: np.ndarray, targets: np.ndarray) -> float:
    """Of a column taken as a score, in either direction."""
    positive = targets == 1
    n_positive, n_negative = positive.sum(), (~positive).sum()
    if min(n_positive, n_negative) < FEW_CLASS_ROWS:
        return 0.5
    ranks = _ranks(scores)[positive].sum()
    area = (ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
    return float(max(area, 1 - area))


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 1, equal values sharing the mean of theirs."""
    return pd.Series(values).rank().to_numpy()


def _present_only(column: np.ndarray, targets: np.ndarray, task: Task) -> str | None:
    """Whether values, or one value, stand in rows of one class alone, or are missing there."""
    if task.kind == "regression":
        return None
    missing = np.isnan(column)
    for rows, what in ((~missing, "has values"), (missing, "is missing")):
        if rows.sum() < FEW_CLASS_ROWS or rows.all():
            continue
        found = np.unique(targets[rows])
        chance = (targets == found[0]).mean() ** rows.sum()
        if len(found) == 1 and chance < BY_CHANCE:
            return f"{what} only in rows of class {task.classes[int(found[0])]!r}"
    if task.kind == "binary":
        return None  # a value that settles one of two classes has told both
    cells = _cells(column[~missing], targets[~missing])
    settled = None if cells is None else _settled(cells)
    if settled is None:
        return None
    called = task.classes[settled]
    return f"has, where it is known, one value in rows of class {called!r}, and in these alone"
