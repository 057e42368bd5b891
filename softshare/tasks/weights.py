"""How much each example counts: what weights may be, and what they mean to a task's mean loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from softshare.tasks import written_numbers
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.asking import Asking
from softshare.tasks.levels import Levels
from softshare.tasks.task import Task
from softshare.tasks.written_numbers import UnclearNumbersError

ClassWeight = Literal["balanced"]
"""How classes may be weighed in training."""

TaskWeight = Literal["equal", "examples"]
"""How tasks may be weighed in training: all the same, or by how many examples they have."""

RULE = "a weight must be a number from 0 on"
REMEDY = "correct it, or leave the row out"


def checked_weights(
    values: Any,
    n_rows: int,
    *,
    argument: str = "weights",
    called: str = "the weight",
) -> np.ndarray:
    """Weights of rows as numbers, ``(n_rows,)``.

    Args:
        values: one a row.
        n_rows: how many rows there are.
        argument: that gave them, for messages.
        called: what a message calls one of them.

    Raises:
        ArgumentError: they are no numbers, or one is missing, negative or infinite.
    """
    try:
        weights = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError((argument, f"{called} of some rows is no number; {RULE}")) from None
    if weights.shape != (n_rows,):
        raise ArgumentError((argument, f"must be {n_rows}, one a row, got shape {weights.shape}"))
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        found = "missing" if np.isnan(weights[row]) else f"{weights[row]:g}"
        n_more = int(wrong.sum()) - 1
        others = f" (and in {n_more} rows more)" if n_more else ""
        told = f"{called} is {found} in row {row + 1}{others}; {RULE}: {REMEDY}"
        raise ArgumentError((argument, told))
    return weights


def read_weights(column: pd.Series, asking: Asking) -> np.ndarray:
    """A table's column of weights as numbers, ``(rows,)``.

    Args:
        column: as it stands in the table.
        asking: what was said of how to read the table.

    Raises:
        ArgumentError: a row has none, or they are not all numbers from 0 on.
    """
    called = f"column {str(column.name)!r}"
    levels = Levels.of(column)
    numbers = levels.values
    if levels.held == "text":
        texts = list(levels.values)
        try:
            form = written_numbers.form_of(texts, decimal=asking.decimal, usual=asking.usual)
        except UnclearNumbersError as error:
            raise ArgumentError(("weight", f"{called}: {error}")) from None
        numbers = np.full(len(texts), np.nan) if form is None else form.numbers(texts)
        odd = np.flatnonzero(np.isnan(numbers))
        if len(odd):
            told = f"{called} holds {texts[odd[0]]!r}; {RULE}: {REMEDY}"
            raise ArgumentError(("weight", told))
    elif levels.held != "number" and len(numbers):
        raise ArgumentError(("weight", f"{called} holds no numbers; {RULE}"))
    of_rows = levels.numbers_by_row(np.asarray(numbers, dtype=np.float64))
    return checked_weights(of_rows, len(column), argument="weight", called=called)


def weights_by_task(
    given: Mapping[Any, Any],
    lengths: Mapping[Any, int],
) -> list[np.ndarray]:
    """The weights of every task's own rows, ``(N_t,)`` each.

    Args:
        given: task name → weights.
        lengths: task name → how many rows it has; in this order.

    Raises:
        ArgumentError: a task has none, or what is given cannot be its weights.
    """
    absent = [name for name in lengths if name not in given]
    strange = [name for name in given if name not in lengths]
    if absent or strange:
        told = f"none for task {absent[0]!r}" if absent else f"no task is called {strange[0]!r}"
        raise ArgumentError(("weights", f"{told}; give one for every row of every task"))
    of_tasks = []
    for name, length in lengths.items():
        called = f"the weight of task {name!r}"
        of_tasks.append(checked_weights(given[name], length, called=called))
    return of_tasks


def entries_that_count(
    weights: np.ndarray,
    task_of: np.ndarray,
    tasks: Sequence[Task],
) -> np.ndarray:
    """Which entries have a weight above 0, ``(entries,)``.

    Args:
        weights: ``(entries,)``.
        task_of: the task of every entry, ``(entries,)``.
        tasks: all tasks.

    Raises:
        ArgumentError: a task has entries, and none that counts.
    """
    counts = weights > 0
    before = np.bincount(task_of, minlength=len(tasks))
    after = np.bincount(task_of[counts], minlength=len(tasks))
    empty = np.flatnonzero((before > 0) & (after == 0))
    if len(empty):
        more = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
        told = f"task {tasks[empty[0]].label!r}{more} has rows of weight 0 alone"
        raise ArgumentError(("weights", f"{told}; give some a weight above 0, or leave them out"))
    return counts


def over_task_means(weights: np.ndarray, task_of: np.ndarray, n_tasks: int) -> np.ndarray:
    """Each weight over the mean of its task's, ``(entries,)``.

    With these the mean of weighted losses is the weighted mean of losses.
    """
    counts = np.bincount(task_of, minlength=n_tasks)
    means = np.bincount(task_of, weights, minlength=n_tasks) / np.maximum(counts, 1)
    scaled: np.ndarray = weights / means[task_of]
    return scaled
