"""Targets as scikit-learn hands them in: one column or several, of numbers or of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array


def columns_of(y: ArrayLike, inputs: Any) -> pd.DataFrame:
    """Targets as a frame of one or several columns, named 0 to T − 1 where they have no names.

    Args:
        y: ``(N,)`` or ``(N, T)``, NaN or None where a label is missing.
        inputs: ``N`` rows.

    Raises:
        ValueError: there are none, more dimensions or another number of rows, or infinite numbers.
    """
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None")
    if isinstance(y, pd.Series | pd.DataFrame):
        frame = pd.DataFrame(y).reset_index(drop=True)
    else:
        values = np.asarray(y)
        is_number = values.dtype.kind in "biufc"
        dtype = None if is_number else object
        array = check_array(
            values, ensure_2d=False, dtype=dtype, ensure_all_finite=False, input_name="y"
        )
        if array.ndim > 2:
            raise ValueError(f"y must have one or two dimensions, got {array.ndim}")
        frame = pd.DataFrame(array)
    for _, column in frame.select_dtypes("number").items():
        if np.isinf(column.to_numpy(dtype=np.float64)).any():
            raise ValueError("Input y contains infinity")
    if len(frame) != len(inputs):
        raise ValueError(f"X has {len(inputs)} rows, and y {len(frame)}")
    return frame.set_axis(list(map(str, frame.columns)), axis=1)


def mean_score(
    measure: Any, y: ArrayLike, predicted: Sequence[np.ndarray], sample_weight: ArrayLike | None
) -> float:
    """The mean over the columns of ``y`` that have labels, each in a type of its own.

    Args:
        measure: ``(truth, predicted, sample_weight=…) → number``.
        y: ``(N,)`` or ``(N, T)``.
        predicted: of every column, ``(N,)``.
        sample_weight: ``(N,)``; None: all the same.

    Raises:
        ValueError: columns are not those that were learned, or none has a label.
    """
    columns = columns_of(y, predicted[0])
    n_columns = columns.shape[1]
    if n_columns != len(predicted):
        raise ValueError(f"y has {n_columns} column(s), and the model {len(predicted)} targets")
    weights = np.ones(len(columns)) if sample_weight is None else np.asarray(sample_weight)
    scores = []
    for (_, column), told in zip(columns.items(), predicted, strict=True):
        known = column.notna().to_numpy()
        if not known.any():
            continue
        truth, of_model = plain(column[known]), plain(pd.Series(told[known]))
        scores.append(measure(truth, of_model, sample_weight=weights[known]))
    if not scores:
        raise ValueError("y has no label, so that there is nothing to score")
    return float(np.mean(scores))


def plain(known: pd.Series) -> np.ndarray:
    """Labels without gaps in NumPy's own type, which scikit-learn needs to tell what they are."""
    return known.astype(object).infer_objects().to_numpy()
