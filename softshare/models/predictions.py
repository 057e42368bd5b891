"""Outputs of networks and models as predictions: in own units, or as classes and probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from softshare.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions of one target for some rows.

    Args:
        name: of the target; empty where it has none.
        like: the kind and the classes of the target.
        values: numbers in the target's own unit, ``(N,)``; the places of classes of others.
        probabilities: of every class, ``(N, C)``; None of numbers.
        bounds: lower and upper ends of an interval, ``(N, 2)``, or None.
    """

    name: str
    like: Task
    values: np.ndarray
    probabilities: np.ndarray | None = None
    bounds: np.ndarray | None = None

    def columns(self) -> dict[str, np.ndarray]:
        """Column of a table → its values."""
        told = f"predicted {self.name}" if self.name else "prediction"
        if self.probabilities is None:
            return {told: self.values, **self._ends()}
        named = np.array([*_classes(self.like), None], dtype=object)
        found: dict[str, np.ndarray] = {told: named[self.values.astype(np.int64)]}
        for place, name in enumerate(_classes(self.like)):
            event = f"{self.name} = {name}" if self.name else name
            found[f"P({event})"] = self.probabilities[:, place]
        return found

    def _ends(self) -> dict[str, np.ndarray]:
        if self.bounds is None:
            return {}
        of = f"{self.name} " if self.name else ""
        return {f"{of}from": self.bounds[:, 0], f"{of}to": self.bounds[:, 1]}


def probabilities_of(kind: str, outputs: np.ndarray) -> np.ndarray:
    """Log-odds ``(N, 1)`` or logits ``(N, C)`` as the probabilities of all classes, ``(N, C)``."""
    if kind == "multiclass":
        return np.asarray(softmax(outputs, axis=1))
    second = expit(outputs[:, 0])
    return np.stack([1 - second, second], axis=1)


def as_table(answers: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Columns side by side."""
    return pd.DataFrame(dict(answers))


def _classes(task: Task) -> tuple[str, ...]:
    n_classes = max(2, task.n_outputs)
    return task.classes or tuple(map(str, range(n_classes)))
