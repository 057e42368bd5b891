"""From a column of targets to a task: which kind it is, and its values as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from torch import Tensor

from softshare.tasks.levels import text_of
from softshare.tasks.task import KINDS, Kind, Task, TaskName, label_of

MAX_WHOLE_NUMBERS = 20
"""Among more different values than these, a code of digits or a mistake is told by itself."""

MOST_CODED_CLASSES = 10
"""A column of more different whole numbers is a quantity, not a class."""

ROWS_A_CLASS = 10
"""Whole numbers are classes only where each has this many rows on average (three or fewer always
are).
"""

FEWEST_COUNTED = 5
THIN = 0.25
NOISE = 3.0
"""Five or more whole numbers in a row are counts or grades where they rise to one peak and fall
again, but for noise of so many standard deviations, to this fraction of the peak at an end.
"""

_YES = (
    "yes y true t 1 + ja j oui si sí sim da positive pos present event case abnormal "
    "malignant sick ill disease diseased fraud spam default dead died failed failure"
)
YES = frozenset(_YES.split())
_NO = (
    "no n false f 0 - nein non não nej negative neg absent none control normal benign healthy "
    "well ham alive survived passed ok"
)
NO = frozenset(_NO.split())
"""Words, in lower case, for what is looked for and for what is not."""


@dataclass(frozen=True)
class _Levels:
    """A target column taken apart: its different values in order, and which one each row has."""

    codes: np.ndarray  # (N,), -1 where the label is missing
    values: np.ndarray  # (different values,), sorted
    numeric: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(text_of(value) for value in self.values)

    @property
    def kind(self) -> Kind:
        n_values, n_rows = len(self.values), int((self.codes >= 0).sum())
        if n_values <= 2:
            return "binary"
        if not self.numeric:
            return "multiclass"
        if not are_whole(self.values):
            return "regression"
        if n_values <= 3:
            return "multiclass"
        few = n_values <= MOST_CODED_CLASSES and n_values * ROWS_A_CLASS <= n_rows
        return "multiclass" if few and not self._is_counted else "regression"

    @property
    def _is_counted(self) -> bool:
        """Whether whole numbers are as frequent as counts and grades: one peak, and a thin tail."""
        steps = np.diff(self.values.astype(np.float64))
        if len(self.values) < FEWEST_COUNTED or (steps != 1).any():
            return False
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))
        peak = int(counts.argmax())
        rises = np.diff(counts) / np.sqrt(counts[1:] + counts[:-1])
        has_one_peak = (rises[:peak] > -NOISE).all() and (rises[peak:] < NOISE).all()
        thinner_end = min(counts[0], counts[-1])
        return bool(has_one_peak and thinner_end < THIN * counts[peak])


class OneClassError(ValueError):
    """A target whose labels are all of one class: there is nothing to learn."""


def infer_kind(target: Any) -> Kind:
    """The kind of a target column.

    * Two different values, whatever they are: ``binary``.
    * Text, and columns that pandas holds as categories: ``multiclass``.
    * Three different whole numbers, or up to 10 with ten rows or more each on average:
      ``multiclass``, unless five or more in a row rise to one peak and fall to a thin end, as
      counts and grades do.
    * All else: ``regression`` — an exam score of 70 different whole numbers, for example.

    Missing labels (NaN, None) do not count, whole numbers held as floats and numbers written as
    text do as what they are.

    Args:
        target: ``(N,)``, an array, a tensor, a list or a pandas column.

    Raises:
        ValueError: the column holds dates, infinite values, or more than one column.
    """
    return _levels(target).kind


def encode_target(
    name: TaskName,
    target: Any,
    kind: Kind | None = None,
    *,
    called: str | None = None,
) -> tuple[Task, np.ndarray]:
    """A target column as the task it poses and its values as numbers.

    Args:
        name: the task's name.
        target: ``(N,)``, numbers, booleans or text; NaN and None are missing labels.
        kind: the kind of the task; inferred (:func:`infer_kind`) when None. Where it is regression,
            booleans are 0 and 1, and categories the numbers that they hold.
        called: what errors call the column; ``task 'name'`` when None.

    Returns:
        The task, and ``(N,)`` 0/1, numbers of classes or values, NaN where the label is missing.
        Classes are numbered in their order: numbers by size, text by the alphabet, categories as
            pandas has them.

    Raises:
        OneClassError: the target has one class only.
        ValueError: the target has no labels, more than two classes for a binary task, or text,
            dates or infinite values where a number is needed.
    """
    called = called or f"task {label_of(name)!r}"
    if kind is not None and kind not in KINDS:
        raise ValueError(f"{called}: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    try:
        levels = _levels(as_quantity(target) if kind == "regression" else target)
        kind = kind or levels.kind
        if kind == "regression":
            return Task(name, kind), _values_of(levels)
        _check_classes(levels, kind)
    except ValueError as error:
        raise type(error)(f"{called}: {error}") from None
    numbers = np.where(levels.codes < 0, np.nan, levels.codes.astype(np.float64))
    return Task(
        name,
        kind,
        1 if kind == "binary" else len(levels.values),
        levels.names,
    ), numbers


def nothing_to_learn(target: Any) -> tuple[tuple[str, ...], np.ndarray] | None:
    """The one class of a column that has no other, or none where it is empty, and its values as
    numbers; None where there is something to learn, or it is no column of targets.
    """
    try:
        column = _as_column(target)
        if column.isna().all():
            return (), np.full(len(column), np.nan)
        levels = _levels(column)
    except ValueError:
        return None
    if len(levels.values) > 1:
        return None
    return levels.names, np.where(levels.codes < 0, np.nan, 0.0)


def as_quantity(target: Any) -> pd.Series:
    """A column that is to be of numbers: categories as what they hold, false and true as 0 and 1,
    all else as it is.

    Raises:
        ValueError: it is no column.

    Shape:
        ``(N,)``.
    """
    column = _as_column(target)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object).infer_objects()
    return column.astype("boolean").astype("Float64") if _is_truth(column) else column


def are_whole(values: np.ndarray) -> bool:
    """Whether all numbers that are there are whole."""
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())


def positive_place(classes: Sequence[str], counts: Sequence[int]) -> int:
    """Which of two classes is the positive one: the one that says so, or whose other says no, else
    the rarer, else the last.
    """
    words = [text.strip().lower() for text in classes]
    for place in (0, 1):
        if words[place] in YES and words[1 - place] not in YES:
            return place
    for place in (0, 1):
        if words[1 - place] in NO and words[place] not in NO:
            return place
    return 0 if counts[0] < counts[1] else 1


def _values_of(levels: _Levels) -> np.ndarray:
    if levels.numeric:
        values = levels.values.astype(np.float64)
        return np.append(values, np.nan)[levels.codes]  # code -1 is the last: NaN
    numbers = pd.to_numeric(pd.Series(levels.values), errors="coerce").to_numpy(dtype=np.float64)
    row = int((np.isnan(numbers)[levels.codes] & (levels.codes >= 0)).argmax())
    raise ValueError(
        f"a regression target must be numbers, found {levels.values[levels.codes[row]]!r} "
        f"in row {row + 1}"
    )


def _check_classes(
    levels: _Levels,
    kind: Kind,
) -> None:
    n_classes = len(levels.values)
    if n_classes == 1:
        raise OneClassError(
            f"the target has one class only ({levels.names[0]!r}), so there is nothing to learn"
        )
    if kind == "binary" and n_classes > 2:
        raise ValueError(
            f"a binary target has two values, found {n_classes}; its kind is multiclass or "
            "regression"
        )


def _levels(target: Any) -> _Levels:
    """Take a column apart.

    Raises:
        ValueError: it is empty, dates, infinite, or no column.
    """
    column = _as_column(target)
    if column.isna().all():
        raise ValueError("the target has no labels")
    if types.is_datetime64_any_dtype(column) or types.is_timedelta64_dtype(column):
        raise ValueError("a target cannot be dates or times; turn them into numbers first")
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories()
        return _Levels(
            used.cat.codes.to_numpy(), used.cat.categories.to_numpy(dtype=object), numeric=False
        )
    if _is_truth(column):
        codes, levels = pd.factorize(column.astype("boolean"), sort=True)
        return _Levels(codes, np.asarray(levels, dtype=object), numeric=False)
    numbers = as_numbers(column)
    if numbers is not None:
        infinite = np.isinf(numbers)
        if infinite.any():
            raise ValueError(
                f"the target has {int(infinite.sum())} infinite value(s), the first in row "
                f"{int(infinite.argmax()) + 1}"
            )
        codes, different = pd.factorize(numbers, sort=True)
        return _Levels(codes, different, numeric=True)
    codes, levels = pd.factorize(column.map(text_of, na_action="ignore").astype(object), sort=True)
    return _positive_last(_Levels(codes, np.asarray(levels, dtype=object), numeric=False))


def _is_truth(column: pd.Series) -> bool:
    """Whether all that stands there is false or true."""
    return types.is_bool_dtype(column) or types.infer_dtype(column, skipna=True) == "boolean"


def _positive_last(levels: _Levels) -> _Levels:
    """The same column, the positive of two classes as the second."""
    if len(levels.values) != 2:
        return levels
    counts = np.bincount(levels.codes[levels.codes >= 0], minlength=2)
    if positive_place(levels.names, counts.tolist()) == 1:
        return levels
    codes = np.where(levels.codes < 0, -1, 1 - levels.codes)
    return _Levels(codes, levels.values[::-1], numeric=False)


def as_numbers(column: pd.Series) -> np.ndarray | None:
    """A column as float64 with NaN where it is empty, or None where a value is not a number."""
    if types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return None if (np.isnan(numbers) & column.notna().to_numpy()).any() else numbers


def _as_column(target: Any) -> pd.Series:
    if isinstance(target, pd.Series):
        return target.reset_index(drop=True)
    values = target.detach().cpu().numpy() if isinstance(target, Tensor) else target
    if not isinstance(values, np.ndarray | pd.api.extensions.ExtensionArray):
        values = np.asarray(values, dtype=object)
    if values.ndim != 1:
        raise ValueError(
            f"a target is one column of values, shape (N,), got shape {tuple(values.shape)}"
        )
    return pd.Series(values)
