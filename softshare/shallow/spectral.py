"""What a matrix of weights says of features and tasks."""

from __future__ import annotations

import numpy as np


def unit_trace_root(rows: np.ndarray) -> np.ndarray:
    """``(A Aᵀ)^{1/2} / tr (A Aᵀ)^{1/2}``: how alike the rows of A are, whole trace 1.

    Of a matrix of zeros, which prefers no direction, the multiple of the identity.

    Shape:
        ``(n, m)`` → ``(n, n)``.
    """
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    total = values.sum()
    if total == 0:
        return np.eye(len(rows)) / len(rows)
    return np.asarray((left * (values / total)) @ left.T)


def directions(coef: np.ndarray) -> np.ndarray:
    """Orthonormal directions of the inputs that the models use, the most used first.

    Shape:
        ``(T, D)`` → ``(rank, D)``.
    """
    _, values, right = np.linalg.svd(coef, full_matrices=False)
    largest = values.max(initial=0.0)
    rank = int((values > 1e-9 * largest).sum())
    return np.asarray(right[:rank])
