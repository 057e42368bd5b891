"""What no linear model sees, for the tests of the trees."""

from __future__ import annotations

import numpy as np


def exclusive_or(kind: str, n_tasks: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An exclusive or of two inputs, and offsets of the tasks: no linear model sees the first."""
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(n_tasks), 60)
    inputs = generator.normal(size=(len(tasks), 2))
    targets = 3.0 * (np.prod(inputs, axis=1) > 0) + tasks % 2
    targets += 0.1 * generator.normal(size=len(tasks))
    if kind == "binary":
        targets = 1.0 * (targets > 2)
    if kind == "multiclass":
        targets = np.digitize(targets, (0.5, 2.0))
    return inputs, targets, tasks


def check_learned(outputs: np.ndarray, wanted: np.ndarray, kind: str) -> None:
    """Held-out outputs are better than any line's."""
    if kind == "regression":
        assert np.mean((outputs - wanted) ** 2) < 0.3 * wanted.var()
    elif kind == "binary":
        assert np.mean((outputs > 0) == wanted) > 0.85
    else:
        assert np.mean(outputs.argmax(axis=1) == wanted) > 0.8
