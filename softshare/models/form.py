"""The form of the tasks that a model has learned: all that stands in a prepared task set but its
examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter

from softshare.tasks.features import from_json
from softshare.tasks.table_use import TableUse
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


def form_of(tasks: TaskSet) -> TaskSet:
    """The same prepared tasks without examples, and without the rows that inputs are read from."""
    shapes = [tuple(source.shape[1:]) for source in tasks.sources]
    return _form(
        tasks.tasks,
        shapes,
        source_of=tasks.source_of,
        one_input=tasks.one_input,
        one_unit=tasks.one_unit,
        units=tasks.units,
        preprocessing=tasks.preprocessing,
        target_scaling=tasks.target_scaling,
        table=tasks.table,
        notes=tasks.notes,
    )


def form_as_json(form: TaskSet) -> dict[str, Any]:
    """A form as plain values."""
    units = form.units
    scaling = form.target_scaling
    tasks = []
    for task in form.tasks:
        name = list(task.name) if isinstance(task.name, tuple) else task.name
        told = {"name": name, "kind": task.kind, "n_outputs": task.n_outputs}
        tasks.append({**told, "classes": list(task.classes)})
    fitted = [None if value is None else value.to_json() for value in form.preprocessing]
    return {
        "tasks": tasks,
        "shapes": [list(source.shape[1:]) for source in form.sources],
        "source_of": form.source_of.tolist(),
        "one_input": form.one_input,
        "one_unit": form.one_unit,
        "units": None if units is None else units.tolist(),
        "preprocessing": fitted,
        "target_scaling": None if scaling is None else scaling.tolist(),
        "table": None if form.table is None else _table.dump_python(form.table, mode="json"),
        "notes": list(form.notes),
    }


def form_from_json(content: Mapping[str, Any]) -> TaskSet:
    """The form that :func:`form_as_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: the content is of something else.
    """
    tasks = []
    for told in content["tasks"]:
        name = tuple(told["name"]) if isinstance(told["name"], list) else told["name"]
        tasks.append(Task(name, told["kind"], told["n_outputs"], tuple(told["classes"])))
    table = content["table"]
    texts = content["preprocessing"]
    return _form(
        tasks,
        content["shapes"],
        source_of=np.array(content["source_of"], dtype=np.int64),
        one_input=bool(content["one_input"]),
        one_unit=content["one_unit"],
        units=_array(content["units"]),
        preprocessing=tuple(None if text is None else from_json(text) for text in texts),
        target_scaling=_array(content["target_scaling"]),
        table=None if table is None else _table.validate_python(table),
        notes=tuple(content["notes"]),
    )


_table = TypeAdapter(TableUse)


def _form(tasks: Sequence[Task], shapes: Sequence[Sequence[int]], **others: Any) -> TaskSet:
    return TaskSet(
        tuple(tasks),
        tuple(torch.empty(0, *shape) for shape in shapes),
        offsets=np.zeros(len(tasks) + 1, dtype=np.int64),
        rows=np.empty(0, dtype=np.int64),
        targets=np.empty(0),
        **others,
    )


def _array(values: Any) -> np.ndarray | None:
    return None if values is None else np.array(values)
