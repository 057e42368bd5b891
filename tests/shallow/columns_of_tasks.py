"""Three tasks in both forms, for the tests of the linear methods."""

from __future__ import annotations

from typing import Any

import numpy as np


def columns(n_rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Three tasks of the same rows, a third of whose labels are missing."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n_rows, 4)) + 1
    Y = X @ random.normal(size=(4, 3)) + random.normal(size=(n_rows, 3))
    Y[random.random(Y.shape) < 1 / 3] = np.nan
    return X, Y


def as_long(X: np.ndarray, Y: np.ndarray, names: list[Any]) -> tuple[Any, Any, list[Any]]:
    row, column = np.nonzero(~np.isnan(Y))
    return X[row], Y[row, column], [names[index] for index in column]
