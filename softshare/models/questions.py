"""What is asked of new rows: of each target, which task's it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from softshare.models.posed import UNKNOWN, names_in, numbers_of, told_of
from softshare.tasks.task import Task, TaskName
from softshare.tasks.task_set import TaskSet

Unknown = Literal["answer", "refuse"]
"""What rows of tasks get that were not learned: what the others have in common, or a refusal."""


@dataclass(frozen=True, eq=False)
class Question:
    """A target of some rows.

    Args:
        target: its name; empty where it has none.
        like: its kind and classes.
        numbers: each row's task, -1 where it was not learned, ``(N,)``.
        has_task: whether rows have a task each, and not all the same.
    """

    target: str
    like: Task
    numbers: np.ndarray
    has_task: bool = False


def questions_of(
    form: TaskSet,
    inputs: Any,
    names: Sequence[TaskName] | None = None,
    unknown_tasks: Unknown = "answer",
    added: Sequence[TaskName] = (),
) -> list[Question]:
    """What is asked of rows: of each of the targets, which task's it is.

    Args:
        form: of the tasks that were learned.
        inputs: the rows, an array or a data frame.
        names: each row's task, ``(N,)``; None where the table's task column names it, or where
            every row has all targets.
        unknown_tasks: what rows of tasks get that were not learned.
        added: the names of tasks that came later.

    Raises:
        ValueError: the tasks are not named, or are refused.
    """
    table = form.table
    if form.one_input and names is None:
        every = range(len(form))
        return [Question(_label(form, k), form.tasks[k], _all(k, inputs)) for k in every]
    if names is None:
        names = names_in(form, inputs)
    if len(names) != len(inputs):
        raise ValueError(f"tasks: {len(names)} names for {len(inputs)} rows")
    targets = () if table is None or not table.task else table.target
    questions = []
    for target in targets if len(targets) > 1 else ("",):
        asked = [_with_target(name, target) for name in names]
        numbers = numbers_of(form, asked, added)
        _check_unknown(names, numbers, unknown_tasks, is_one=len(targets) < 2)
        like = _like(form.tasks, target)
        told = target or (targets[0] if targets else "")
        questions.append(Question(told, like, numbers, has_task=True))
    return questions


def _check_unknown(
    names: Sequence[TaskName],
    numbers: np.ndarray,
    unknown_tasks: Unknown,
    *,
    is_one: bool,
) -> None:
    unknown = np.flatnonzero(numbers == UNKNOWN).tolist()
    if not unknown or (unknown_tasks == "answer" and is_one):
        return
    told = told_of([names[row] for row in unknown])
    reason = "" if is_one else ", and of several targets nothing is common to all"
    raise ValueError(
        f"tasks: {len(unknown)} row(s) are of tasks that were not learned: {told}{reason}"
    )


def _all(number: int, inputs: Any) -> np.ndarray:
    return np.full(len(inputs), number)


def _label(form: TaskSet, number: int) -> str:
    label: str = form.tasks[number].label
    return label


def _with_target(name: TaskName, target: str) -> TaskName:
    """A task's name, of one of several targets."""
    if not target:
        return name
    return (*(name if isinstance(name, tuple) else (name,)), target)


def _like(tasks: Sequence[Task], target: str) -> Task:
    """The kind and the classes of a target: those of its first task."""
    for task in tasks:
        if not target or task.name[-1] == target:
            return task
    raise ValueError(f"no task of the target {target!r} was learned")
