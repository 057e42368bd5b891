"""Tasks from objects that hold examples: PyTorch's map-style data sets, and tables of the library
``datasets``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softshare.data.roles import Roles
from softshare.tasks.columns import Kinds
from softshare.tasks.task import Kind, label_of
from softshare.tasks.task_set import TaskSet


class MapStyle(Protocol):
    """What ``torch.utils.data.Dataset`` asks of a map-style data set."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...


class Items:
    """The inputs of an object that gives items by their numbers; an item is read whenever a batch
    asks for it.

    Reading one runs code of others, which may draw random numbers.

    Args:
        read: numbers of items → their inputs.
        length: number of items.

    Raises:
        ValueError: the inputs are not numbers.
    """

    may_draw = True

    def __init__(self, read: Callable[[list[int]], Sequence[Any]], length: int) -> None:
        self._read, self._length = read, length
        first = self[np.array([0])] if length else torch.empty(0, 0)
        self.shape, self.dtype = (length, *first.shape[1:]), first.dtype

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        if not len(rows):
            return torch.empty(0, *self.shape[1:], dtype=self.dtype)
        inputs = [_as_tensor(item) for item in self._read(rows.tolist())]
        if len(shapes := {tuple(item.shape) for item in inputs}) > 1:
            raise ValueError(
                "inputs must all have one shape, found "
                f"{' and '.join(map(str, sorted(shapes)[:2]))}; pad or resize them"
            )
        return torch.stack(inputs)


def from_datasets(
    datasets: Mapping[Any, MapStyle],
    *,
    targets: Mapping[Any, Any] | None = None,
    kinds: Kinds = None,
) -> TaskSet:
    """One task a data set of PyTorch, items ``(input, target)``.

    Inputs are read when a batch asks for them, through ``__getitems__`` where there is one. A data
    set's own transformations work as ever; what they draw from the generators of Python, NumPy and
    PyTorch depends on the seed and the step only, so they run in the thread that trains, and not
    ahead of it. Tasks with inputs of one shape run as one group.

    Args:
        datasets: task name → data set with a length, whose items are pairs of input and target.
        targets: task name → its targets ``(N_t,)``, for every task; when None, all items are read
            once to learn them.
        kinds: the kind of every task, or of all; inferred where not given.

    Raises:
        TypeError: a data set has no length.
        ValueError: an item is no pair, or inputs and targets do not fit.
    """
    for name, dataset in datasets.items():
        if not hasattr(dataset, "__len__"):
            raise TypeError(
                f"task {label_of(name)!r}: the data set must be map-style, with a length; "
                f"{type(dataset).__name__} has none"
            )
    if targets is None:
        targets = {
            name: [_pair(name, dataset[number])[1] for number in range(len(dataset))]
            for name, dataset in datasets.items()
        }
    if apart := [
        label_of(name)
        for name in {**datasets, **targets}
        if name not in datasets or name not in targets
    ]:
        raise ValueError(
            "targets: give those of every data set and no others; "
            f"{', '.join(map(repr, apart))} is one of the two only"
        )
    inputs = {
        name: Items(partial(_inputs, name, dataset), len(dataset))
        for name, dataset in datasets.items()
    }
    return TaskSet.from_arrays(
        {name: (inputs[name], _column(targets[name])) for name in datasets}, kinds=kinds
    )


def from_hugging_face(
    dataset: Any,
    *,
    inputs: str | Sequence[str],
    target: str | Sequence[str],
    task: str | Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | Kind | None = None,
    split: str | None = None,
    group: str | None = None,
) -> TaskSet:
    """Tasks from the columns of a ``datasets.Dataset``, as :func:`softshare.read_table` makes them
    from those of a table.

    Args:
        dataset: the data set (one of its splits).
        inputs: a column of images or arrays, read when a batch asks for them, or several of numbers
            and texts, read now.
        target: the column to predict, or several, each a task.
        task: the column that names the task of each row; several name it by several factors.
        kinds: the kind of every target; inferred where not given.
        split: a column with the given part of each row.
        group: a column whose equal values stay in one part.

    Raises:
        ValueError: a column does not exist or has two uses, or its values do not fit.
    """
    columns = [inputs] if isinstance(inputs, str) else list(inputs)
    roles = Roles.given(
        kinds,
        target=target,
        task=task,
        split=split,
        group=group,
    )
    uses: dict[str, Any] = {**roles.of, "inputs": columns}
    Roles.given(kinds, **uses).check(list(dataset.column_names), inputs_left=False)
    frame = pd.DataFrame({name: _values(dataset, name) for name in roles.columns})
    if not isinstance(inputs, str):
        return roles.tasks(frame, pd.DataFrame({name: _values(dataset, name) for name in columns}))
    return roles.tasks(
        frame, Items(partial(_cells, dataset.select_columns([inputs]), inputs), len(dataset))
    )


def _cells(
    dataset: Any,
    column: str,
    rows: list[int],
) -> Sequence[Any]:
    return dataset[rows][column]


def _inputs(
    name: Any,
    dataset: MapStyle,
    rows: list[int],
) -> Sequence[Any]:
    items = (
        dataset.__getitems__(rows)
        if hasattr(dataset, "__getitems__")
        else [dataset[row] for row in rows]
    )
    return [_pair(name, item)[0] for item in items]


def _pair(name: Any, item: Any) -> Any:
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise ValueError(
            f"task {label_of(name)!r}: items must be pairs of input and target, got "
            f"{type(item).__name__}"
        )
    return item


def _column(targets: Any) -> Any:
    return np.array(
        [value.item() if isinstance(value, Tensor) else value for value in targets], dtype=object
    )


def _values(dataset: Any, name: str) -> Any:
    """A column; numbers of classes as the classes' names."""
    values = list(dataset[name])
    names = getattr((getattr(dataset, "features", None) or {}).get(name), "names", None)
    if names is None:
        return values
    return pd.Categorical.from_codes([-1 if value is None else value for value in values], names)


def _as_tensor(item: Any) -> Tensor:
    """An input as numbers, at least one-dimensional; a picture as bytes, channels first."""
    if hasattr(item, "convert"):  # Pillow's
        return torch.from_numpy(np.array(item.convert("RGB")).transpose(2, 0, 1))
    array = item.detach().cpu().numpy() if isinstance(item, Tensor) else np.asarray(item)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"inputs must be numbers or images, got {type(item).__name__}")
    return torch.from_numpy(np.atleast_1d(array))
