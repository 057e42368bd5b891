"""Tasks of two factors: every level of a task column with every one of several targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from softshare.tasks.columns import Entries, Kinds, encode_panel, entries_by_task, offsets_of
from softshare.tasks.task import Task, TaskName, label_of

NAMED = 20
"""Pairs without a label that a note names."""


@dataclass(frozen=True)
class Crossed:
    """Tasks by a level and a target, and their entries.

    Args:
        tasks: those of the first level, target by target, then those of the second.
        entries: of these.
        units: for each the number of its target, which is one quantity at every level, ``(T,)``.
        absent: pairs of a level and a target without a label, which are no tasks.
    """

    tasks: tuple[Task, ...]
    entries: Entries
    units: np.ndarray
    absent: tuple[TaskName, ...]

    def notes(self) -> tuple[str, ...]:
        """What a task set of these tells."""
        if not self.absent:
            return ()
        told = ", ".join(repr(label_of(name)) for name in self.absent[:NAMED])
        more = f" and {len(self.absent) - NAMED} more" if len(self.absent) > NAMED else ""
        pairs = f"{len(self.absent)} pair(s) of a task and a target have no label"
        return (f"{pairs}, and are no tasks: {told}{more}",)


def crossed(
    targets: Mapping[Any, Any],
    levels: list[TaskName],
    level_of_row: np.ndarray,
    kinds: Kinds,
    *,
    n_inputs: int,
) -> Crossed:
    """Every level with every target, where there is a label.

    A target has one kind, and the same classes, at all levels.

    Args:
        targets: name → ``(N,)``.
        levels: the names of the task column's levels; tuples where several columns name them.
        level_of_row: the number of each row's level, ``(N,)``.
        kinds: of the targets.
        n_inputs: rows of inputs.

    Raises:
        ValueError: a target is none, or has not one value a row.
    """
    encoded = encode_panel(targets, kinds)
    n_rows, n_targets = len(level_of_row), len(encoded)
    for like, values in encoded:
        if not n_inputs == len(values) == n_rows:
            raise ValueError(
                f"inputs, target {like.label!r} and task must have one length, got {n_inputs}, "
                f"{len(values)} and {n_rows}"
            )
    # all targets' columns one below the other; a row's task is its level · targets + its target
    values = np.concatenate([values for _, values in encoded])
    target_of = np.repeat(np.arange(n_targets), n_rows)
    task_of = np.tile(level_of_row, n_targets) * n_targets + target_of
    offsets, places, labels = entries_by_task(values, task_of, len(levels) * n_targets)
    counts = np.diff(offsets)
    tasks: list[Task] = []
    absent: list[TaskName] = []
    for number, count in enumerate(counts):
        level, (like, _) = levels[number // n_targets], encoded[number % n_targets]
        name = (*(level if isinstance(level, tuple) else (level,)), like.label)
        if count:
            tasks.append(replace(like, name=name))
        else:
            absent.append(name)
    kept = np.flatnonzero(counts)
    entries = offsets_of(counts[kept]), places % n_rows, labels
    return Crossed(tuple(tasks), entries, kept % n_targets, tuple(absent))
