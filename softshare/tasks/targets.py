"""From a column of targets to a task: which kind it is, and its values as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from softshare.tasks.task import Kind, Task, TaskName


def infer_kind(values: np.ndarray) -> Kind:
    """The kind of a target column, by the rule that the documentation states.

    Two different values: binary. Text, or at most 20 different whole numbers that are also at most a
    twentieth of the rows (and whole-number columns of at most 3 values): multiclass. Else regression —
    a score of 70 different whole numbers is regression.
    """
    present = values[~_missing(values)]
    different = np.unique(present)
    if len(different) <= 2:
        return "binary"
    if present.dtype.kind in "OUSb":
        return "multiclass"
    whole = bool(np.all(different == np.round(different)))
    few = len(different) <= 3 or (len(different) <= 20 and len(different) <= len(present) / 20)
    return "multiclass" if whole and few else "regression"


def encode_target(name: TaskName, target: Any, kind: Kind | None) -> tuple[Task, np.ndarray]:
    """A target column as the task it poses and its values as numbers, NaN where the label is missing.

    Args:
        name: the task's name.
        target: ``(N,)``, numbers or text; NaN and None are missing labels.
        kind: the kind of the task; inferred (:func:`infer_kind`) when None.

    Raises:
        ValueError: a target holds one class only, more than two classes for a binary task, or text or
            infinite values where a number is needed.
    """
    values = np.asarray(target)
    values = values.astype(object) if values.dtype.kind in "US" else values
    missing = _missing(values)
    label = name if isinstance(name, str) else " / ".join(name)
    if missing.all():
        raise ValueError(f"task {label!r}: the target has no labels")
    kind = kind or infer_kind(values)
    if kind == "regression":
        try:
            numbers = values.astype(np.float64)
        except (TypeError, ValueError):
            example = next(value for value in values[~missing] if isinstance(value, str))
            raise ValueError(f"task {label!r}: a regression target must be numbers, found {example!r}") from None
        if np.isinf(numbers).any():
            raise ValueError(f"task {label!r}: the target has {int(np.isinf(numbers).sum())} infinite value(s)")
        return Task(name, "regression"), numbers
    classes, numbers_present = np.unique(values[~missing], return_inverse=True)
    if len(classes) == 1:
        raise ValueError(f"task {label!r}: the target has one class only ({classes[0]!r}); there is nothing to learn")
    if kind == "binary" and len(classes) > 2:
        raise ValueError(f"task {label!r}: a binary target has two values, found {len(classes)}; use kind multiclass or regression")
    numbers = np.full(len(values), np.nan)
    numbers[~missing] = numbers_present
    names = tuple(str(value) for value in classes)
    return Task(name, kind, 1 if kind == "binary" else len(classes), names), numbers


def _missing(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "O":
        return np.array([value is None or value != value for value in values], dtype=bool)
    return np.zeros(len(values), dtype=bool)
