"""From a task set to what was understood of it (:class:`softshare.tasks.look.Look`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.leaks import leak_cautions
from softshare.tasks.look import ColumnLine, Look, TaskLine
from softshare.tasks.reading import Reading
from softshare.tasks.repeated_rows import repeat_cautions
from softshare.tasks.splits import small_tasks
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

TASKS_SHOWN = 12
LONGEST_EXAMPLE = 24
"""Characters of a value that are shown."""


def look_at(tasks: TaskSet) -> Look:
    """What was understood of a task set whose inputs are not numbers yet; nothing is trained."""
    lines = [_task_line(tasks, number) for number in range(min(len(tasks), TASKS_SHOWN))]
    tasks = _encoded(tasks)
    readings = _readings(tasks)
    notes = dict.fromkeys(tasks.notes)
    cautions = dict.fromkeys([*_of_tasks(tasks), *leak_cautions(tasks), *repeat_cautions(tasks)])
    for reading in readings:
        for caution in reading.cautions:
            notes.pop(caution, None)
            cautions[caution] = None
    return Look(
        summary=_summary(tasks, readings),
        target=_target(tasks),
        tasks=tuple(lines),
        n_tasks=len(tasks),
        columns=tuple(map(_column_line, readings)),
        notes=tuple(notes),
        cautions=tuple(cautions),
    )


def _encoded(tasks: TaskSet) -> TaskSet:
    """The same tasks with data frames understood column by column."""
    sources = []
    for source in tasks.sources:
        is_frame = isinstance(source, pd.DataFrame)
        sources.append(EncodedColumns.of(source) if is_frame else source)
    return replace(tasks, sources=tuple(sources))


def _readings(tasks: TaskSet) -> list[Reading]:
    readings: dict[str, Reading] = {}
    for source in tasks.sources:
        if isinstance(source, EncodedColumns):
            for reading in source.readings or source.used:
                readings.setdefault(reading.name, reading)
    return list(readings.values())


def _summary(tasks: TaskSet, readings: Sequence[Reading]) -> str:
    count = "1 task" if len(tasks) == 1 else f"{len(tasks):,} tasks"
    n_rows = sum(len(source) for source in tasks.sources)
    least = tasks.n_examples.min()
    most = tasks.n_examples.max()
    each = f"{least:,}"
    if most > least:
        each = f"{least:,} to {most:,}"
    rows = "row" if most == 1 else "rows"
    told = f"{count} of {each} labelled {rows} each, {n_rows:,} rows in all"
    if readings:
        used = [reading for reading in readings if reading.is_used]
        n_inputs = sum(reading.n_inputs for reading in used)
        left_out = sum(reading.kind == "left out" for reading in readings)
        told += f"; {len(used)} column(s) make {n_inputs:,} inputs"
        return f"{told}, {left_out} left out" if left_out else told
    shapes = set()
    for number in range(len(tasks)):
        shape = tasks.input_shape(number)
        shapes.add(" × ".join(map(str, shape)))
    shown = " or ".join(sorted(shapes)[:3])
    return f"{told}; an input has the shape {shown}"


def _target(tasks: TaskSet) -> str:
    different = {(task.kind, task.classes) for task in tasks.tasks}
    if len(different) > 1:
        return f"targets of {len(different)} forms, see the tasks"
    task = tasks.tasks[0]
    if task.kind == "regression" and tasks.one_input and len(tasks) > 1:
        return f"targets: {len(tasks)} numbers, see the tasks"
    if task.kind == "regression":
        low, high = tasks.targets.min(), tasks.targets.max()
        return f"target: a number, from {low:.6g} to {high:.6g}"
    if task.kind == "multiclass":
        return f"target: {len(task.classes)} classes ({_listed(task.classes)})"
    fraction = float(tasks.targets.mean())
    return f"target: two classes; the positive one is {task.classes[1]!r} ({fraction:.1%} of rows)"


def _task_line(tasks: TaskSet, number: int) -> TaskLine:
    task = tasks.tasks[number]
    targets = tasks.targets[tasks.entries(number)]
    told = _told_target(task)
    level = _level(task, targets)
    return TaskLine(
        task.label,
        told,
        len(targets),
        level,
    )


def _told_target(task: Task) -> str:
    if task.kind == "regression":
        return "a number"
    if task.kind == "multiclass":
        return f"{len(task.classes)} classes"
    return f"{task.classes[0]} or {task.classes[1]} (positive)" if task.classes else "two classes"


def _level(task: Task, targets: np.ndarray) -> str:
    if not len(targets) or task.kind == "multiclass":
        return ""
    mean = float(targets.mean())
    return f"{mean:.1%}" if task.kind == "binary" else f"{mean:.4g}"


def _column_line(reading: Reading) -> ColumnLine:
    role, _, how = reading.why.partition(": ")
    read_as = {"many": f"{reading.n_values:,} categories", "left out": "left out"}
    if reading.kind == "category":
        read_as["category"] = f"{reading.n_values} categories"
    told = read_as.get(reading.kind, reading.kind)
    why = reading.why
    if reading.kind == "role":
        told = role
        why = how
    examples = []
    for text in reading.examples:
        short = text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE - 1]}…"
        examples.append(short)
    return ColumnLine(
        reading.name,
        told,
        why,
        ", ".join(examples),
        reading.n_missing,
        reading.n_inputs,
    )


def _of_tasks(tasks: TaskSet) -> list[str]:
    """What is odd about the tasks themselves."""
    told = []
    if len(tasks) == 1:
        told.append("there is one task only, so there is nothing to share")
    of_one_class = []
    of_few_rows = []
    is_small = small_tasks(tasks)
    for number, task in enumerate(tasks.tasks):
        targets = tasks.targets[tasks.entries(number)]
        if task.kind != "regression" and len(targets) and (targets == targets[0]).all():
            of_one_class.append(task.label)
        elif is_small[number]:
            of_few_rows.append(task.label)
    if of_few_rows:
        told.append(
            f"{len(of_few_rows)} of {len(tasks)} tasks cannot be divided for a comparison: too few "
            f"rows or groups, or a part without rows ({_listed(of_few_rows)}): drop_small_tasks "
            "leaves them out"
        )
    if of_one_class:
        told.append(
            f"{len(of_one_class)} of {len(tasks)} tasks have rows of one class only "
            f"({_listed(of_one_class)}): drop_small_tasks leaves them out"
        )
    told += _of_parts(tasks)
    return told


def _of_parts(tasks: TaskSet) -> list[str]:
    """Where given parts differ: tasks of one class in training, or of other rates in the test."""
    if not tasks.parts or tasks.parts[0] is None or len(tasks.sources) > 1:
        return []
    part_of = np.asarray(tasks.parts[0], dtype=object)[tasks.rows]
    alone, unequal = [], []
    for number, task in enumerate(tasks.tasks):
        entries = tasks.entries(number)
        targets, parts = tasks.targets[entries], part_of[entries]
        train, test = targets[parts == "train"], targets[parts == "test"]
        if task.kind == "regression" or not len(train) or not len(test):
            continue
        if (train == train[0]).all() and not (targets == targets[0]).all():
            alone.append(task.label)
        elif task.kind == "binary" and _differ(train, test):
            rates = f"{train.mean():.0%} against {test.mean():.0%}"
            unequal.append(f"{task.label} ({rates})")
    told = []
    if alone:
        told.append(f"one class only in the training part: {_listed(alone)}")
    if unequal:
        told.append(f"training and test part differ in the positive class: {_listed(unequal)}")
    return told


def _differ(train: np.ndarray, test: np.ndarray) -> bool:
    """Whether two rates differ by far more than chance, and by ten points or more."""
    rate = np.concatenate([train, test]).mean()
    variance = max(rate * (1 - rate), 1e-12)
    of_means = variance / len(train) + variance / len(test)
    deviation = np.sqrt(of_means)
    difference = abs(train.mean() - test.mean())
    return bool(difference > 0.1 and difference > 4 * deviation)


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
