"""The columns of a data frame, as numbers or as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from softshare.tasks.targets import as_numbers, text_of

LARGEST = 1e18
"""Inputs beyond this count as infinite: single precision could not hold their squares."""


MANY_TEXTS = 50
"""A column with more different texts than this, and another in more than every second row, is taken
for an identifier.
"""


def check_columns(frame: pd.DataFrame) -> None:
    """Refuse columns that cannot be inputs, however the rows are split.

    Raises:
        ValueError: a column holds dates, infinite values, or texts that look like identifiers.
    """
    numeric = [name for name in names_of(frame) if is_numeric(frame[name])]
    check_finite(numbers_of(frame, numeric), numeric)
    for name in names_of(frame):
        if name in numeric:
            continue
        different = frame[name].nunique()
        present = int(frame[name].notna().sum())
        if different > MANY_TEXTS and different > present / 2:
            raise ValueError(
                f"column {name!r} has {different} different texts in {present} rows and "
                f"looks like an identifier; leave it out (drop {name!r})"
            )


def names_of(frame: pd.DataFrame) -> list[str]:
    """The names of the columns, which are texts."""
    return [str(name) for name in frame.columns]


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers or booleans.

    Raises:
        ValueError: it holds dates or times.
    """
    is_date = types.is_datetime64_any_dtype(column)
    if is_date or types.is_timedelta64_dtype(column):
        raise ValueError(
            f"column {column.name!r} holds dates or times; turn them into numbers or leave "
            f"them out (drop {column.name!r})"
        )
    return types.is_bool_dtype(column) or types.is_numeric_dtype(column)


def numbers_of(
    frame: pd.DataFrame,
    names: Sequence[str],
) -> np.ndarray:
    """Numeric columns as float64, NaN where a value is missing, shape ``(N, len(names))``.

    Raises:
        ValueError: a column holds something else.
    """
    values = np.empty((len(frame), len(names)))
    for place, name in enumerate(names):
        numbers = as_numbers(frame[name])
        if numbers is None:
            raise ValueError(f"column {name!r} must hold numbers, as in training")
        values[:, place] = numbers
    return values


def texts_of(column: pd.Series) -> np.ndarray:
    """A categorical column as text, None where a value is missing."""
    codes, levels = pd.factorize(column)
    texts = [text_of(level) for level in levels]
    # a missing value has the code −1, which is the last place
    return np.array([*texts, None], dtype=object)[codes]


def check_finite(
    values: np.ndarray,
    names: Sequence[str],
) -> None:
    """Refuse infinite inputs.

    Raises:
        ValueError: names the first column that has some, and how many.
    """
    infinite = (np.abs(values) > LARGEST).sum(axis=0)
    if infinite.any():
        first = int((infinite > 0).argmax())
        raise ValueError(
            f"column {names[first]!r} has {infinite[first]} infinite value(s); inputs must "
            f"be missing or within ±{LARGEST:g}"
        )
