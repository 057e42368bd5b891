"""New inputs as examples of the tasks that a model has learned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from pandas.api.types import is_scalar
from torch import Tensor

from softshare.tasks.columns import offsets_of
from softshare.tasks.levels import text_of
from softshare.tasks.name_columns import read_names
from softshare.tasks.sources import as_source
from softshare.tasks.task import Task, TaskName, label_of
from softshare.tasks.task_set import TaskSet

NEW = "a task that was not learned"
"""The name under which rows of such tasks stand together."""

UNKNOWN = -1

_FRACTION = re.compile(r"^(-?(?:0|[1-9]\d*))\.0+$")


@dataclass(frozen=True, eq=False)
class Posed:
    """Examples of one of a table's targets.

    Args:
        tasks: the examples, prepared; of learned tasks, or of one that was not.
        rows: the row that each entry is of.
    """

    tasks: TaskSet
    rows: np.ndarray


def posed(
    form: TaskSet,
    inputs: Any,
    numbers: np.ndarray,
    like: Task,
    added: Sequence[TaskName] = (),
) -> list[Posed]:
    """Rows as prepared examples: those of known tasks, and those of others.

    Args:
        form: of the tasks that were learned.
        inputs: raw, as the training part's were, ``(N, *shape)`` or a data frame.
        numbers: each row's task, -1 where it was not learned, ``(N,)``; those of tasks that came
            later follow on the learned ones'.
        like: what a task that was not learned is taken for.
        added: the names of tasks that came later.

    Raises:
        ValueError: the inputs are not of the form that was learned.
    """
    source = as_source(inputs)
    found = []
    for number in np.unique(form.source_of):
        is_known = (numbers != UNKNOWN) & (numbers < len(form))
        of_source = is_known & (form.source_of == number)[np.where(is_known, numbers, 0)]
        rows = np.flatnonzero(of_source)
        if len(rows):
            features = _features(form, int(number), source, rows)
            found.append(_known(form, features, rows, numbers[rows]))
    for place, name in enumerate((NEW, *added), start=-1):
        number = UNKNOWN if place == -1 else len(form) + place
        rows = np.flatnonzero(numbers == number)
        if len(rows):
            features = _features(form, int(form.source_of[0]), source, rows)
            found.append(_new(form, features, rows, replace(like, name=name)))
    return found


def _known(form: TaskSet, features: Tensor, rows: np.ndarray, numbers: np.ndarray) -> Posed:
    order = np.argsort(numbers, kind="stable")
    present, counts = np.unique(numbers, return_counts=True)
    of_present = form.keep_tasks(present)
    tasks = replace(
        of_present,
        sources=(features,),
        source_of=np.zeros(len(present), dtype=np.int64),
        offsets=offsets_of(counts),
        rows=order,
        targets=np.zeros(len(order)),
        preprocessing=form.preprocessing[form.source_of[present[0]] :][:1],
        one_input=False,
    )
    return Posed(tasks, rows[order])


def _new(form: TaskSet, features: Tensor, rows: np.ndarray, like: Task) -> Posed:
    one = form.keep_tasks([0])
    tasks = replace(
        one,
        tasks=(like,),
        sources=(features,),
        source_of=np.zeros(1, dtype=np.int64),
        offsets=offsets_of([len(rows)]),
        rows=np.arange(len(rows)),
        targets=np.zeros(len(rows)),
        preprocessing=form.preprocessing[form.source_of[0] :][:1],
        one_input=False,
    )
    return Posed(tasks, rows)


def _features(form: TaskSet, number: int, source: Any, rows: np.ndarray) -> Tensor:
    """The features of some rows, as the source of this number was turned into them."""
    fitted = form.preprocessing[number] if form.preprocessing else None
    taken = source.iloc[rows] if isinstance(source, pd.DataFrame) else source[rows]
    if fitted is not None:
        features = fitted.transform(taken)
    elif isinstance(taken, pd.DataFrame):
        raise ValueError("inputs: the model has learned from arrays, not from a table")
    else:
        features = torch.as_tensor(taken).to(torch.float32)
    wanted = tuple(form.sources[number].shape[1:])
    if tuple(features.shape[1:]) != wanted:
        raise ValueError(f"inputs must have the shape (N, {_told(wanted)}), got {_of(taken)}")
    return features


def _told(shape: Sequence[int]) -> str:
    return ", ".join(map(str, shape))


def _of(taken: Any) -> str:
    return f"({_told(taken.shape)})"


def numbers_of(
    form: TaskSet, names: Sequence[TaskName], added: Sequence[TaskName] = ()
) -> np.ndarray:
    """Each row's task by its name, -1 where it was not learned, ``(N,)``.

    Tasks that came later follow on those that were learned. A whole number that one table writes
    with a fraction of zeros and another without is one name, unless both were learned: ``1.0`` in a
    file is 1 in a data frame. So is a text with blanks around it and without.
    """
    number_of = {name: number for number, name in enumerate((*form.names, *added))}
    plain: dict[TaskName, int] = {}
    for name, number in number_of.items():
        is_twice = _plain(name) in plain
        plain[_plain(name)] = UNKNOWN if is_twice else number
    found = []
    for name in names:
        found.append(number_of.get(name, plain.get(_plain(name), UNKNOWN)))
    return np.array(found, dtype=np.int64)


def _plain(name: TaskName) -> TaskName:
    """``1`` of ``1.0``, and no blanks around any name."""
    if isinstance(name, tuple):
        return tuple(_FRACTION.sub(r"\1", part.strip()) for part in name)
    return _FRACTION.sub(r"\1", name.strip())


def names_handed_in(tasks: Iterable[Any], n_rows: int) -> list[TaskName]:
    """Each row's task as a table's reader writes it: ``1`` of 1 and of 1.0.

    Args:
        tasks: each row's, ``(N,)``: text, a number or the like, or a tuple of such, one a factor.
        n_rows: how many there must be.

    Raises:
        ValueError: there are more or fewer, or a row has no task.
    """
    handed_in = list(tasks)
    if len(handed_in) != n_rows:
        raise ValueError(f"tasks: {len(handed_in)} names for {n_rows} rows")
    empty = [row for row, task in enumerate(handed_in) if _is_missing(task)]
    if empty:
        raise ValueError(
            f"tasks: {len(empty)} row(s) have no task, the first is row {empty[0] + 1}; name each "
            "row's task"
        )
    return list(map(_name_of, handed_in))


def _is_missing(task: Any) -> bool:
    if isinstance(task, tuple):
        return any(map(_is_missing, task))
    return bool(is_scalar(task) and pd.isna(task))


def _name_of(task: Any) -> TaskName:
    return tuple(map(text_of, task)) if isinstance(task, tuple) else text_of(task)


def names_in(form: TaskSet, frame: Any) -> list[TaskName]:
    """Each row's task (without the target, where tasks are of a level and a target).

    Raises:
        ValueError: the table has not the columns that name tasks, or a row has no task.
    """
    table = form.table
    if not isinstance(frame, pd.DataFrame):
        raise ValueError("tasks: name each row's task")
    if table is None:
        raise ValueError("tasks: the model was not learned from a table; name each row's task")
    absent = [name for name in table.task if name not in frame.columns]
    if absent:
        raise ValueError(f"the table lacks the task column(s) {', '.join(map(repr, absent))}")
    factors = []
    for name in table.task:
        column, _ = read_names(frame[name], table.asking)
        empty = column.isna().to_numpy()
        if empty.any():
            raise ValueError(
                f"task column {name!r} is empty in {int(empty.sum())} row(s), the first is row "
                f"{int(empty.argmax()) + 1}"
            )
        factors.append([str(value) for value in column])
    if len(factors) == 1:
        return list(factors[0])
    return list(zip(*factors, strict=True))


def told_of(names: Sequence[TaskName]) -> str:
    """Some names of tasks, for a message."""
    different = list(dict.fromkeys(map(label_of, names)))
    more = f" and {len(different) - 10} more" if len(different) > 10 else ""
    return ", ".join(map(repr, different[:10])) + more
