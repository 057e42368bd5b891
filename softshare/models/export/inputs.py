"""What a graph takes: a description for whoever runs it, and rows in that form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from softshare.models.export.graph import tasks_of
from softshare.models.posed import names_handed_in, names_in, numbers_of
from softshare.tasks.features import TableColumns
from softshare.tasks.reading import Reading
from softshare.tasks.task import TaskName
from softshare.tasks.vectors import Vectors

if TYPE_CHECKING:
    from softshare.models.model import Model

FORMAT = 1
"""Of the description."""

NUMBERS = {
    "number": "as it stands",
    "boolean": "1 for true, 0 for false",
    "date": "seconds since 1970-01-01, UTC",
    "time": "seconds since midnight",
}
"""Kind of a column → the number that stands for a value of it."""


def description_of(model: Model, task: TaskName | None = None) -> dict[str, Any]:
    """What a graph takes and gives, in words that need no library, as JSON values.

    Args:
        model: that the graph is of.
        task: the only task that it knows; all when None.
    """
    tasks = tasks_of(model, task)
    inputs: dict[str, Any] = {}
    if task is None:
        inputs["task"] = {"type": "int64", "shape": ["rows"], "numbers": "places in `tasks`"}
    fitted = _fitted(model, task)
    if isinstance(fitted, TableColumns):
        inputs |= _table_inputs(fitted)
    else:
        shape = model.form.sources[_source(model, task)].shape[1:]
        width = [len(fitted.names)] if isinstance(fitted, Vectors) else list(shape)
        inputs["inputs"] = {"type": _type_of(fitted), "shape": ["rows", *width]}
    like = tasks[0]
    output: dict[str, Any] = {"prediction": {"type": "float64", "shape": ["rows"]}}
    if like.kind != "regression":
        n_classes = max(2, like.n_outputs)
        classes = like.classes or tuple(map(str, range(n_classes)))
        shape_of = ["rows", n_classes]
        output = {"probabilities": {"type": "float64", "shape": shape_of, "classes": list(classes)}}
    return {
        "softshare": FORMAT,
        "method": model.method.name,
        "tasks": [one.label for one in tasks],
        "inputs": inputs,
        "outputs": output,
    }


def graph_inputs(
    model: Model,
    inputs: Any,
    tasks: Iterable[Any] | None = None,
    *,
    task: TaskName | None = None,
) -> dict[str, np.ndarray]:
    """Rows in the form that a graph takes, by the names of its inputs.

    Args:
        model: that the graph is of.
        inputs: a data frame, or an array ``(N, *shape)``.
        tasks: each row's task, where the graph knows several; None where a column names it.
        task: the only task that the graph knows; None where it knows all.

    Raises:
        ValueError: a column is absent or holds something else than it did.
    """
    given: dict[str, np.ndarray] = {}
    if task is None:
        if tasks is None:
            names = names_in(model.form, inputs)
        else:
            names = names_handed_in(tasks, len(inputs))
        given["task"] = numbers_of(model.form, names)
    fitted = _fitted(model, task)
    if isinstance(fitted, TableColumns):
        return given | _of_table(fitted, inputs)
    given["inputs"] = np.asarray(inputs, dtype=_type_of(fitted))
    return given


def _of_table(fitted: TableColumns, frame: Any) -> dict[str, np.ndarray]:
    """A table's columns of numbers, and codes of its columns of categories."""
    numbers, codes = fitted.taken_apart(frame)
    given = {}
    numeric = [numbers[reading.name] for reading in _numeric(fitted)]
    if numeric:
        given["numbers"] = np.stack(numeric, axis=1)
    if codes:
        given["categories"] = np.stack(list(codes.values()), axis=1)
    return given


def _table_inputs(fitted: TableColumns) -> dict[str, Any]:
    """The description of a table's columns."""
    inputs: dict[str, Any] = {}
    columns: list[Mapping[str, Any]] = []
    for reading in _numeric(fitted):
        told = {"name": reading.name, "kind": reading.kind, "value": NUMBERS[reading.kind]}
        columns.append(told)
    if columns:
        inputs["numbers"] = {
            "type": "float64",
            "shape": ["rows", len(columns)],
            "missing": "NaN",
            "columns": columns,
        }
    known = fitted.known_categories
    if known:
        coded = [{"name": name, "codes": list(codes)} for name, codes in known.items()]
        inputs["categories"] = {
            "type": "int64",
            "shape": ["rows", len(known)],
            "missing": -1,
            "unknown": "any number beyond the codes",
            "columns": coded,
        }
    return inputs


def _numeric(fitted: TableColumns) -> list[Reading]:
    return [reading for reading in fitted.readings if reading.is_numeric]


def _fitted(model: Model, task: TaskName | None) -> Any:
    """The preprocessing of the inputs."""
    preprocessing = model.form.preprocessing
    return preprocessing[_source(model, task)] if preprocessing else None


def _source(model: Model, task: TaskName | None) -> int:
    names = list(model.form.names)
    number = names.index(tasks_of(model, task)[0].name)
    return int(model.form.source_of[number])


def _type_of(fitted: Any) -> str:
    return "float64" if isinstance(fitted, Vectors) else "float32"
