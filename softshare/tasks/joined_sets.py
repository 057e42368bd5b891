"""Several task sets as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from softshare.tasks.columns import offsets_of
from softshare.tasks.sources import Source
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


def joined(sets: Sequence[TaskSet]) -> TaskSet:
    """The tasks of several sets, in the order of the sets; see :meth:`TaskSet.joined`.

    Raises:
        ValueError: two tasks have one name, or the sets differ in how they are divided or in what
            has been done to them.
    """
    _check_names(sets)
    _check_alike(sets)
    tasks: list[Task] = []
    sources: list[Source] = []
    source_of: list[np.ndarray] = []
    notes: list[str] = []
    for each in sets:
        source_of.append(each.source_of + len(sources))
        tasks += each.tasks
        sources += each.sources
        notes += each.notes
    counts = [each.n_examples for each in sets]
    rows = [each.rows for each in sets]
    targets = [each.targets for each in sets]
    return TaskSet(
        tasks=tuple(tasks),
        sources=tuple(sources),
        source_of=np.concatenate(source_of),
        offsets=offsets_of(np.concatenate(counts)),
        rows=np.concatenate(rows),
        targets=np.concatenate(targets),
        groups=_by_source(sets, "groups"),
        parts=_by_source(sets, "parts"),
        train_fraction_of_all=sets[0].train_fraction_of_all,
        preprocessing=_by_source(sets, "preprocessing"),
        target_scaling=_scaling(sets),
        notes=tuple(notes),
        row_numbers=_by_source(sets, "row_numbers"),
        units=_units(sets),
        weights=_weights(sets),
    )


def renamed(tasks: TaskSet, names: Any) -> TaskSet:
    """The same tasks under other names; see :meth:`TaskSet.renamed`.

    Raises:
        KeyError: there is no task of a name.
        ValueError: two tasks would have one name.
    """
    if isinstance(names, str):
        names = {task.name: f"{names}{task.label}" for task in tasks.tasks}
    for name in names:
        tasks.index(name)  # which tells where there is none
    called = []
    for task in tasks.tasks:
        name = names.get(task.name, task.name)
        called.append(replace(task, name=name))
    return replace(tasks, tasks=tuple(called))


def _check_names(sets: Sequence[TaskSet]) -> None:
    names = Counter(task.label for each in sets for task in each.tasks)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ValueError(
            f"joined: several sets have tasks called {', '.join(map(repr, twice[:5]))}; give "
            "those of one set other names, such as by tasks.renamed('first ')"
        )


def _check_alike(sets: Sequence[TaskSet]) -> None:
    """What belongs to a set as a whole must be the same in all."""
    if len({each.train_fraction_of_all for each in sets}) > 1:
        raise ValueError(
            "joined: a training fraction is of all examples in some of the sets and of the "
            "training part in others; split each set by itself, and join the parts of the splits"
        )
    if len({each.target_scaling is None for each in sets}) > 1:
        raise ValueError(
            "joined: some of the sets are prepared for training and others are not; join the "
            "parts of splits, or sets that have not been split"
        )


def _by_source(sets: Sequence[TaskSet], field: str) -> tuple[Any, ...]:
    """A field with a value for each source, None where a set has none; empty where no set has."""
    if not any(getattr(each, field) for each in sets):
        return ()
    values: list[Any] = []
    for each in sets:
        of_set = getattr(each, field) or (None,) * len(each.sources)
        values.extend(of_set)
    return tuple(values)


def _scaling(sets: Sequence[TaskSet]) -> np.ndarray | None:
    scalings = [each.target_scaling for each in sets if each.target_scaling is not None]
    return np.concatenate(scalings) if scalings else None


def _weights(sets: Sequence[TaskSet]) -> np.ndarray | None:
    if all(each.weights is None for each in sets):
        return None
    weights = []
    for each in sets:
        own = each.weights
        if own is None:
            own = np.ones(len(each.rows))
        weights.append(own)
    return np.concatenate(weights)


def _units(sets: Sequence[TaskSet]) -> np.ndarray | None:
    """The quantity that every task predicts, no two sets having one in common; None where no set
    knows, and the targets' spread tells.
    """
    if all(each.units is None and each.one_unit is None for each in sets):
        return None
    units = []
    n_before = 0
    for each in sets:
        if each.units is not None:
            _, own = np.unique(each.units, return_inverse=True)
        elif each.one_unit:
            own = np.zeros(len(each), dtype=np.int64)
        else:
            own = np.arange(len(each))
        units.append(own + n_before)
        n_before += int(own.max()) + 1
    return np.concatenate(units)
