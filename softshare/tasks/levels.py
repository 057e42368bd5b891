"""A column taken apart: its different values, and which one each row has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types

Held = Literal["text", "number", "boolean", "date", "duration", "categories"]
"""What the different values are: texts as they are written, or of a type already."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The different values of a column.

    Args:
        values: each once, ``(L,)``: texts without blanks around them, float64, or whole numbers
            that float64 cannot hold as texts. Seconds where they are dates or durations.
        codes: for every row the place of its value, -1 where nothing stands there, ``(N,)``.
        counts: how many rows have each value, ``(L,)``.
        held: what the values are.
        trimmed: how many values were written with blanks around them and without.
    """

    values: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    held: Held
    trimmed: int = 0

    @property
    def n_rows(self) -> int:
        """Rows of the column."""
        return len(self.codes)

    @property
    def n_present(self) -> int:
        """Rows in which something stands."""
        return int(self.counts.sum())

    @property
    def texts(self) -> list[str]:
        """Every value as a person would write it."""
        return self.first_texts(len(self.values))

    def first_texts(self, most: int) -> list[str]:
        """So many of them at the most."""
        written = moment_text if self.held == "date" else text_of
        return [written(value) for value in self.values[:most]]

    @classmethod
    def of(cls, column: pd.Series) -> Levels:
        """A column of any type.

        Raises:
            TypeError: it holds complex numbers, lists or other values that cannot be compared.
        """
        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            used = column.cat.remove_unused_categories()
            names = [text_of(category) for category in used.cat.categories]
            return _made(
                used.cat.codes.to_numpy(),
                names,
                "categories",
            )
        if types.is_bool_dtype(dtype):
            return _of_booleans(column)
        if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            return _of_seconds(_moments(column), "date")
        if types.is_timedelta64_dtype(dtype):
            return _of_seconds(column.dt.total_seconds(), "duration")
        if types.is_complex_dtype(dtype):
            raise TypeError("complex numbers; take their parts, each a column")
        if types.is_numeric_dtype(dtype):
            return _of_numbers(column)
        return _of_objects(column)

    def as_texts(self) -> Levels:
        """The same column with its values as texts."""
        if self.held == "text":
            return self
        return replace(
            self,
            values=np.array(self.texts, dtype=object),
            held="text",
        )

    def numbers_by_row(self, numbers: np.ndarray) -> np.ndarray:
        """A number for every row from one for every value, NaN where nothing stands."""
        return np.append(numbers, np.nan)[self.codes]


def text_of(value: Any) -> str:
    """A value as a person would write it: ``1`` for 1.0."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def moment_text(seconds: float) -> str:
    """A moment as a person would write it: ``2021-09-27``, or with the time where it has one."""
    microseconds = round(seconds * 1e6)
    text = str(np.datetime64(microseconds, "us"))
    text = text.removesuffix(".000000")
    return text.removesuffix("T00:00:00")


def _made(codes: np.ndarray, values: Sequence[Any] | np.ndarray, held: Held) -> Levels:
    is_text = held in ("text", "categories")
    as_array = np.asarray(values, dtype=object if is_text else np.float64)
    present = codes[codes >= 0]
    counts = np.bincount(present, minlength=len(values))
    return Levels(
        as_array,
        codes.astype(np.int64),
        counts,
        held,
    )


def _of_booleans(column: pd.Series) -> Levels:
    values = column.astype("boolean")
    numbers = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    codes, levels = pd.factorize(numbers, sort=True)
    return _made(
        codes,
        levels,
        "boolean",
    )


def _of_seconds(seconds: pd.Series, held: Held) -> Levels:
    codes, levels = pd.factorize(seconds.to_numpy(dtype=np.float64), sort=True)
    return _made(
        codes,
        levels,
        held,
    )


def _moments(column: pd.Series) -> pd.Series:
    """Seconds since 1970 of dates; those without a zone are taken for UTC."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if isinstance(column.dtype, pd.ArrowDtype) and column.dtype.type is date:
        column = column.astype("datetime64[us]")  # of Arrow's days nobody may ask the zone
    if column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    # Nanoseconds end in the year 2262, and 9999-12-31 is a usual "open end".
    moments = column.astype("datetime64[us]")
    seconds = moments.astype("int64") / 1e6
    return seconds.where(moments.notna())


def _of_numbers(column: pd.Series) -> Levels:
    if types.is_integer_dtype(column.dtype):
        codes, found = pd.factorize(column, sort=True)
        whole = np.asarray(found)
        ends = [abs(int(value)) for value in (*whole[:1], *whole[-1:])]
        if max(ends, default=0) > 2**53:
            return _made(
                codes,
                [str(value) for value in whole],
                "text",
            )
        return _made(
            codes,
            whole,
            "number",
        )
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, levels = pd.factorize(numbers, sort=True)
    return _made(
        codes,
        levels,
        "number",
    )


def _of_objects(column: pd.Series) -> Levels:
    """Python objects: texts nearly always, or dates, numbers and booleans with gaps."""
    codes, found = pd.factorize(column.astype(object))
    kind = types.infer_dtype(found, skipna=True)
    if kind == "boolean":
        return _of_booleans(column)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _of_whole_or_real(column)
    if kind in ("datetime64", "datetime", "date"):
        # moments with several offsets have one type in UTC alone
        return _of_seconds(_moments(pd.to_datetime(column, utc=True)), "date")
    if kind in ("timedelta", "timedelta64"):
        return _of_seconds(pd.to_timedelta(column).dt.total_seconds(), "duration")
    texts = np.array([text_of(value).strip() for value in found], dtype=object)
    return _of_texts(codes, texts)


def _of_whole_or_real(column: pd.Series) -> Levels:
    present = column.dropna()
    largest = max((abs(value) for value in present), default=0)
    if largest > 2**53 and all(isinstance(value, int | np.integer) for value in present):
        codes, found = pd.factorize(column)
        return _of_texts(codes, np.array([str(value) for value in found], dtype=object))
    return _of_numbers(pd.to_numeric(column.astype(object), errors="raise").astype(np.float64))


def _of_texts(codes: np.ndarray, texts: np.ndarray) -> Levels:
    """Texts that differ in blanks around them are one; an empty one is nothing."""
    places, values = pd.factorize(texts)
    is_empty = values == ""
    renumbered = np.cumsum(~is_empty) - 1
    renumbered[is_empty] = -1
    place_of = np.append(renumbered[places], -1)  # code -1 is the last place
    made = _made(
        place_of[codes],
        values[~is_empty],
        "text",
    )
    merged = len(texts) - len(values)
    return Levels(
        made.values,
        made.codes,
        made.counts,
        "text",
        trimmed=merged,
    )
