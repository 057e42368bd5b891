"""Checks of targets and settings that people hand in."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array

LOSSES = ("squared", "logistic")


def is_number(value: object) -> bool:
    """Whether something is a finite number, and no truth value."""
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool) and isfinite(value)  # type: ignore[arg-type]


def check_settings(
    method: str,
    strengths: Mapping[str, object],
    *,
    loss: object,
    tol: object,
    max_iter: object,
) -> None:
    """Raise for all settings that are out of range together.

    Raises:
        ValueError: names every such argument, its rule and its value.
    """
    wrong = []
    for name, strength in strengths.items():
        if not is_number(strength) or strength < 0:  # type: ignore[operator]
            wrong.append(f"{name} is a number of at least 0, got {strength!r}")
    if loss not in LOSSES:
        wrong.append(f"loss is one of {', '.join(LOSSES)}, got {loss!r}")
    if not is_number(tol) or tol <= 0:  # type: ignore[operator]
        wrong.append(f"tol is a number above 0, got {tol!r}")
    if not isinstance(max_iter, int | np.integer) or max_iter < 1:
        wrong.append(f"max_iter is a number of steps of at least 1, got {max_iter!r}")
    if wrong:
        raise ValueError(f"{method}: {'; '.join(wrong)}")


def checked_targets(y: ArrayLike, *, columns: bool) -> np.ndarray:
    """Targets as an array of one or two dimensions.

    Args:
        y: what was handed in.
        columns: whether there may be a column for each task, with labels missing.

    Raises:
        ValueError: targets are infinite, missing where they may not be, a column has none, or there
            are more than two dimensions.

    Shape:
        ``(N,)``, or ``(N, T)``.
    """
    finite = "allow-nan" if columns else True
    targets: np.ndarray = check_array(
        y,
        ensure_2d=False,
        dtype=None,
        ensure_all_finite=finite,
        input_name="y",
    )
    if targets.ndim == 2 and not columns:
        raise ValueError(
            f"y: one target a row beside tasks, shape (N,); got {targets.shape}. Leave tasks out "
            "where y has a column for each task"
        )
    missing = np.asarray(pd.isna(targets)).reshape(len(targets), -1)
    if targets.ndim == 1 and missing.any():
        raise ValueError("y: Input y contains NaN, which only a column among several may")
    empty = np.flatnonzero(missing.all(axis=0))
    if len(empty):
        raise ValueError(f"y: column {empty[0]} has no label; leave it out")
    return targets


def two_classes(targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two classes, and every target as 0 or 1, NaN where it is missing.

    Raises:
        ValueError: there are not two classes.
    """
    known = ~np.asarray(pd.isna(targets))
    labels = targets[known]
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) > 2:
        raise ValueError(
            "y: Only binary classification is supported. The type of the target is "
            f"{type_of_target(labels)}, with {len(classes)} classes"
        )
    if len(classes) < 2:
        raise ValueError(f"y: the logistic loss needs two classes; there is one class, {classes}")
    numbers = np.full(targets.shape, np.nan)
    numbers[known] = codes
    return classes, numbers
