"""Related tasks of unequal numbers of rows, for the tests of the convex methods."""

from __future__ import annotations

import numpy as np

from tests.shallow import convex_programs as programs

SIZES = (3, 7, 12, 30)


def unequal_tasks(
    loss: str = "squared", *, sizes: tuple[int, ...] = SIZES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of related tasks, the last of which differs, mixed up."""
    random = np.random.default_rng(seed)
    task = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = random.normal(size=(len(task), 5)) * [1, 2, 1, 0.5, 1] + 1
    coef = np.outer(random.normal(size=len(sizes)), random.normal(size=5)) + 0.5
    coef[-1] = random.normal(size=5) * 2
    outputs = np.einsum("nd,nd->n", X, coef[task]) + random.normal(size=len(sizes))[task]
    if loss == "squared":
        return X, outputs + random.normal(size=len(task)), task
    return X, (outputs - np.median(outputs) + random.logistic(size=len(task)) > 0) * 1, task


def rows_of(X: np.ndarray, y: np.ndarray, task: np.ndarray) -> programs.Rows:
    return [(X[task == t], y[task == t]) for t in np.unique(task)]
