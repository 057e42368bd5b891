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
    shares = values / total
    return np.asarray((left * shares) @ left.T)


def directions(coef: np.ndarray) -> np.ndarray:
    """Orthonormal directions of the inputs that the models use, the most used first.

    Shape:
        ``(T, D)`` → ``(rank, D)``.
    """
    _, values, right = np.linalg.svd(coef, full_matrices=False)
    largest = values.max(initial=0.0)
    # Rounding leaves values of some 1e-16 of the largest where a direction is not used.
    is_used = values > 1e-9 * largest
    rank = int(is_used.sum())
    return np.asarray(right[:rank])


def varimax(
    loadings: np.ndarray,
    *,
    max_iter: int = 100,
    tol: float = 1e-8,
) -> np.ndarray:
    """The rotation R for which the squares of ``loadings @ R`` vary most within columns (Kaiser,
    1958): each column is near zero in many rows and large in few.

    Shape:
        ``(n, K)`` → ``(K, K)``, orthogonal.
    """
    n_components = loadings.shape[1]
    rotation = np.eye(n_components)
    previous = 0.0
    for _ in range(max_iter):
        turned = loadings @ rotation
        # The criterion's gradient; the next rotation is the orthogonal matrix nearest to it.
        mean_squares = (turned**2).mean(axis=0)
        gradient = loadings.T @ (turned**3 - turned * mean_squares)
        left, values, right = np.linalg.svd(gradient)
        rotation = left @ right
        total = float(values.sum())
        if total <= previous * (1 + tol):
            break
        previous = total
    return np.asarray(rotation)
