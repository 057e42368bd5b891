"""Tasks made unrelated, on which no sharing may gain anything: data of an experiment's control.

Each task alone is as hard as it was, or nearly; what is gone is what the tasks have in common.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softshare.tasks.random_keys import key_of
from softshare.tasks.sources import as_source
from softshare.tasks.task_set import TaskSet


def permuted_inputs(
    tasks: TaskSet,
    seed: int,
) -> TaskSet:
    """Every task sees the numbers of its inputs in an order of its own (pixels, features): what
    one task learns of them is of no use to another.

    A row that several tasks saw is a row of each: a method that divides its training part itself
    no longer keeps it whole.

    Args:
        tasks: raw.
        seed: of the orders.
    """
    inputs, groups, parts = [], [], []
    for number, task in enumerate(tasks.tasks):
        source = tasks.source_of[number]
        rows = tasks.rows[tasks.entries(number)]
        own = np.asarray(tasks.sources[source][rows])
        flat = own.reshape(len(own), -1)
        order = np.random.default_rng(key_of(seed, task.label)).permutation(flat.shape[1])
        inputs.append(as_source(flat[:, order].reshape(own.shape)))
        groups.append(_of_rows(tasks.groups, source, rows))
        parts.append(_of_rows(tasks.parts, source, rows))
    of_task = [np.arange(count) for count in tasks.n_examples]
    return replace(
        tasks,
        sources=tuple(inputs),
        source_of=np.arange(len(tasks)),
        rows=np.concatenate(of_task),
        one_input=False,
        groups=tuple(groups) if tasks.groups else (),
        parts=tuple(parts) if tasks.parts else (),
        row_numbers=(),
    )


def permuted_classes(
    tasks: TaskSet,
    seed: int,
) -> TaskSet:
    """Every task numbers its classes in an order of its own: of tasks with the same classes, what
    is one class in one task is another in the next.

    Args:
        tasks: raw.
        seed: of the orders.
    """
    targets = tasks.targets.copy()
    for number, task in enumerate(tasks.tasks):
        n_classes = max(2, task.n_outputs)
        order = np.random.default_rng(key_of(seed, task.label)).permutation(n_classes)
        own = tasks.entries(number)
        targets[own] = order[targets[own].astype(np.int64)]
    return replace(tasks, targets=targets)


def shuffled_targets(
    tasks: TaskSet,
    seed: int,
) -> TaskSet:
    """Every task's targets in another order than its rows: nothing can be learned, and who gains
    has seen what it must not see. Parts are drawn by the labels as they were.

    Args:
        tasks: raw.
        seed: of the orders.
    """
    targets = tasks.targets.copy()
    for number, task in enumerate(tasks.tasks):
        own = tasks.entries(number)
        order = np.random.default_rng(key_of(seed, task.label)).permutation(
            tasks.n_examples[number]
        )
        targets[own] = targets[own][order]
    return replace(tasks, targets=targets)


def _of_rows(
    columns: tuple[np.ndarray | None, ...],
    source: int,
    rows: np.ndarray,
) -> np.ndarray | None:
    """A column's values at some rows of a source."""
    column = columns[source] if columns else None
    return None if column is None else np.asarray(column)[rows]
