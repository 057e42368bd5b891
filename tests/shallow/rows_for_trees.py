"""Rows by which trees of every kind are held against the libraries that grew them."""

from __future__ import annotations

import numpy as np

N_CATEGORIES = 70


def made_rows() -> tuple[np.ndarray, np.ndarray]:
    """Rows of three numbers, one of them from few values, and a category; and numbers to learn."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(600, 3))
    inputs[:, 2] = inputs[:, 2].round(1)
    categories = np.arange(600) % N_CATEGORIES
    effects = generator.normal(size=N_CATEGORIES)
    targets = np.sin(3 * inputs[:, 0]) * inputs[:, 1] + effects[categories]
    return np.column_stack([inputs, categories]), targets


def new_rows(train: np.ndarray) -> np.ndarray:
    """Rows of which some lie on a threshold's value, and some have no category that was seen."""
    generator = np.random.default_rng(1)
    rows = np.vstack([train[:100], generator.normal(size=(100, 4))])
    rows[100:, 3] = np.resize([np.nan, -1.0, 3.0, N_CATEGORIES - 1], 100)
    return rows
