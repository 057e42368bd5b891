"""From what a person has — columns of targets, a column of task names — to the columns of a task
set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd

from softshare.tasks.targets import OneClassError, encode_target, text_of
from softshare.tasks.task import Kind, Task, TaskName, label_of

Kinds = Mapping[Any, Kind] | Kind | None
"""The kind of every task by its name (text, or a tuple of texts), of all tasks at once, or None:
inferred.
"""


Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Where each task's entries begin, their rows, and their targets."""


def encode_all(targets: Mapping[Any, Any], kinds: Kinds) -> list[tuple[Task, np.ndarray]]:
    """Every target column as its task and its values as numbers.

    Raises:
        ValueError: there is no column, ``kinds`` names another task, or a column is no target;
            names all that have one class only.
    """
    if not targets:
        raise ValueError("a task set needs at least one task, got an empty mapping")
    by_name = kinds if isinstance(kinds, Mapping) else dict.fromkeys(targets, kinds)
    unknown = [label_of(name) for name in by_name if name not in targets]
    if unknown:
        known = ", ".join(map(label_of, targets))
        raise ValueError(
            f"kinds names {', '.join(map(repr, unknown))}, which is no task; the tasks are {known}"
        )
    encoded, of_one_class = [], []
    for name, target in targets.items():
        try:
            encoded.append(encode_target(name, target, by_name.get(name)))
        except OneClassError:
            of_one_class.append(label_of(name))
    if of_one_class:
        names = ", ".join(map(repr, of_one_class[:5])) + (
            f" and {len(of_one_class) - 5} more" if len(of_one_class) > 5 else ""
        )
        raise OneClassError(
            f"{len(of_one_class)} of {len(targets)} task(s) have one class only, so there "
            f"is nothing to learn: {names}; leave them out. Or "
            "name the task of every row in a column (TaskSet.from_task_column): tasks then "
            "have the classes of all rows, and "
            "tasks.drop_small_tasks() leaves such tasks out"
        )
    return encoded


def check_lengths(columns: Sequence[tuple[Task, np.ndarray]], n_inputs: Sequence[int]) -> None:
    """Refuse a target column that has not one value an input.

    Raises:
        ValueError: names the task and both lengths.
    """
    for (task, values), length in zip(columns, n_inputs, strict=True):
        if len(values) != length:
            raise ValueError(f"task {task.label!r}: {length} inputs but {len(values)} targets")


def entries_of(columns: Sequence[np.ndarray]) -> Entries:
    """Offsets, rows and values of the labelled examples in columns with gaps (NaN)."""
    labelled = [np.flatnonzero(~np.isnan(values)) for values in columns]
    values = np.concatenate([values[rows] for values, rows in zip(columns, labelled, strict=True)])
    return offsets_of([len(rows) for rows in labelled]), np.concatenate(labelled), values


def entries_by_task(values: np.ndarray, task: np.ndarray, n_tasks: int) -> Entries:
    """Offsets, rows and values of the labelled rows of one column, each an example of the task
    numbered beside it.
    """
    labelled = np.flatnonzero(~np.isnan(values))
    rows = labelled[np.argsort(task[labelled], kind="stable")]
    return offsets_of(np.bincount(task[labelled], minlength=n_tasks)), rows, values[rows]


def offsets_of(counts: np.ndarray | Sequence[int]) -> np.ndarray:
    """Where runs of these lengths begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def places_in_runs(values: np.ndarray) -> np.ndarray:
    """0, 1, 2, … within every run of equal numbers (none below 0)."""
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    return np.arange(len(values)) - np.repeat(starts, np.diff(starts, append=len(values)))


def names_of(task: Any) -> tuple[list[TaskName], np.ndarray]:
    """The tasks that a column (or a data frame of several) names, sorted, and the number of each
    row's task.

    Raises:
        ValueError: a row has no task.
    """
    factors = (
        [column for _, column in task.items()]
        if isinstance(task, pd.DataFrame)
        else [pd.Series(task)]
    )
    texts, number_of_row = [], np.zeros(len(factors[0]), dtype=np.int64)
    for column in factors:
        plain = (
            column.map(text_of, na_action="ignore") if column.dtype == object else column
        )  # mixed types cannot be sorted
        codes, levels = pd.factorize(plain, sort=True)
        if (codes < 0).any():
            missing, first = int((codes < 0).sum()), int((codes < 0).argmax()) + 1
            raise ValueError(
                f"{missing} row(s) have no task, the first is row {first}; fill the task "
                "column or remove these rows"
            )
        number_of_row = number_of_row * len(levels) + codes
        texts.append([text_of(level) for level in levels])
    number_of_row, found = pd.factorize(number_of_row, sort=True)
    factor_codes = np.unravel_index(found, [len(text) for text in texts])
    columns = [
        [text[code] for code in codes] for text, codes in zip(texts, factor_codes, strict=True)
    ]
    return list(columns[0]) if len(factors) == 1 else list(
        zip(*columns, strict=True)
    ), number_of_row


def column_of(source: Sized, column: Any) -> tuple[np.ndarray, ...]:
    """What a task set of one source holds of a column of its rows (groups, parts): nothing where
    there is none.

    Raises:
        ValueError: the column has not one value a row.
    """
    if column is None:
        return ()
    if len(column) != len(source):
        raise ValueError(
            f"groups and parts need one value a row, got {len(column)} for {len(source)} rows"
        )
    return (np.asarray(column),)
