"""The two forms in which tasks' rows come, as one list of inputs and targets for each task."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TaskRows:
    """Every task's own rows.

    Shape:
        ``inputs[t]`` is ``(n_t, D)``, ``targets[t]`` ``(n_t,)``; ``positions[t]``, ``(n_t,)``, are
        the rows' numbers in what was handed in. Tasks whose targets lie in columns beside the
        same inputs hold the very same array of inputs where no label is missing.
    """

    names: list[Hashable]
    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    positions: list[np.ndarray]

    @property
    def counts(self) -> np.ndarray:
        """The tasks' numbers of rows.

        Shape:
            ``(T,)``.
        """
        sizes = map(len, self.targets)
        return np.fromiter(sizes, dtype=np.int64)

    @property
    def shared_inputs(self) -> bool:
        """Whether all tasks have the same rows, so that one Gram matrix serves them all."""
        first = self.inputs[0]
        return all(inputs is first for inputs in self.inputs)

    def take(self, kept: np.ndarray) -> TaskRows:
        """Some rows of all tasks, which stay even where they have none left.

        Args:
            kept: whether to keep each row of what was handed in.
        """
        if self.shared_inputs:
            # One array again, so that one Gram matrix still serves all tasks.
            which = kept[self.positions[0]]
            shared = self.inputs[0][which]
            inputs = [shared] * len(self.names)
        else:
            inputs = self._taken(self.inputs, kept)
        return TaskRows(
            self.names,
            inputs,
            self._taken(self.targets, kept),
            self._taken(self.positions, kept),
        )

    def _taken(self, arrays: list[np.ndarray], kept: np.ndarray) -> list[np.ndarray]:
        """Every task's array without the rows that are not kept."""
        taken = []
        for array, position in zip(arrays, self.positions, strict=True):
            which = kept[position]
            taken.append(array[which])
        return taken


def task_names(tasks: Iterable[Hashable]) -> list[Hashable]:
    """The different tasks, sorted where they can be; otherwise as they first appear."""
    names = dict.fromkeys(tasks)
    try:
        return sorted(names)  # type: ignore[type-var]
    except TypeError:  # names of several types have no order
        return list(names)


def plain_names(tasks: Iterable[Hashable], n_rows: int) -> list[Hashable]:
    """One task name a row, numpy's scalars as Python's.

    Raises:
        ValueError: there are not as many names as rows.
    """
    named = tasks.tolist() if hasattr(tasks, "tolist") else list(tasks)
    if len(named) != n_rows:
        raise ValueError(
            f"tasks: one name for each row of X; got {len(named)} names for {n_rows} rows"
        )
    return named


def rows_in_long_form(X: np.ndarray, y: np.ndarray, tasks: Sequence[Hashable]) -> TaskRows:
    """Sort rows by their task.

    Shape:
        ``X (N, D)``, ``y (N,)``, one task's name a row.
    """
    names = task_names(tasks)
    code = {name: index for index, name in enumerate(names)}
    index = np.array([code[name] for name in tasks])
    # A stable sort makes every task's rows one slice: views, not copies.
    order = np.argsort(index, kind="stable")
    counts = np.bincount(index, minlength=len(names))
    ends = np.cumsum(counts)[:-1]
    return TaskRows(
        names,
        inputs=np.split(X[order], ends),
        targets=np.split(y[order], ends),
        positions=np.split(order, ends),
    )


def rows_in_columns(X: np.ndarray, Y: np.ndarray, names: Sequence[Hashable]) -> TaskRows:
    """Take every task's labelled rows.

    Shape:
        ``X (N, D)``, ``Y (N, T)`` with NaN where a task has no label.
    """
    inputs = []
    targets = []
    positions = []
    for column in Y.T:
        labelled = ~np.isnan(column)
        # X itself where it can be: tasks with the same array share a Gram matrix.
        inputs.append(X if labelled.all() else X[labelled])
        targets.append(column[labelled])
        positions.append(np.flatnonzero(labelled))
    return TaskRows(list(names), inputs, targets, positions)
