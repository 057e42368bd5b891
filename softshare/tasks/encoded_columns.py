"""Columns of a table as one array of numbers, on disk perhaps: fitted, and turned into features,
some rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.features import (
    ROUNDING,
    TableColumns,
    Vectors,
    are_equal,
    medians,
    no_column_left,
    one_hot,
)
from softshare.tasks.frames import check_finite
from softshare.tasks.sources import Source, take

ROWS_AT_ONCE = 1 << 15
MEDIAN_ROWS = 1 << 17
"""Training rows, drawn at random where there are more, whose medians are put in place of missing
values.
"""


@dataclass(frozen=True, eq=False)
class EncodedColumns:
    """A table whose texts stand as the numbers of their categories; NaN where a value is missing.

    Args:
        values: ``(N, C)``, anything that rows can be taken from.
        names: of the columns.
        categories: text column → its categories in the order of their numbers.
    """

    values: Source
    names: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return tuple(self.values.shape)

    @property
    def columns(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Name and categories of every column; no categories where it holds numbers."""
        return tuple((name, self.categories.get(name, ())) for name in self.names)

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        return take(self.values, rows)

    def fit(self, training: np.ndarray) -> tuple[TableColumns, tuple[str, ...]]:
        """What the training rows say, as :meth:`softshare.tasks.features.TableColumns.fit` has it,
        and notes.

        Raises:
            ValueError: a number is infinite, or no column is left.
        """
        numeric = [name for name in self.names if name not in self.categories]
        vectors, missing = fit_vectors(
            self.values,
            training,
            self._places(numeric),
            numeric,
        )
        categories: dict[str, tuple[str, ...]] = {}
        indicated: list[str] = []
        for name, counts in self._counts(training).items():
            missing[name] = int(counts[-1])
            texts = np.array(self.categories[name], dtype=object)
            seen = tuple(texts[counts[:-1] > 0])
            if len(seen) + (missing[name] > 0) > 1:  # being missing tells rows apart too
                categories[name] = seen
                if missing[name]:
                    indicated.append(name)
        kept = (*vectors.names, *categories)
        left_out = [name for name in self.names if name not in kept]
        if not kept:
            raise no_column_left(left_out)
        columns = TableColumns(vectors, categories, tuple(indicated))
        return columns, columns.notes(left_out, missing)

    def features(
        self,
        columns: TableColumns,
        rows: Tensor,
    ) -> Tensor:
        """What ``columns.transform`` makes of rows of this table: ``(B, C)`` → ``(B, features)``.

        The same features as of the table's own cells, from the numbers of their categories.
        """
        # side by side: numbers and their indicators | one-hot columns | indicators of texts
        parts = [columns.numeric.transform(rows[:, self._places(columns.numeric.names)])]
        for name, kept in columns.categories.items():
            place_of = self._places_among(name, kept)
            numbers = rows[:, self.names.index(name)].nan_to_num(nan=-1.0).long().numpy()
            parts.append(one_hot(place_of[numbers], len(kept)))
        for name in columns.indicated:
            missing = rows[:, self.names.index(name)].isnan()
            parts.append(missing.float()[:, None])
        return torch.cat(parts, dim=1)

    def _places(self, names: Sequence[str]) -> list[int]:
        return [self.names.index(name) for name in names]

    def _places_among(
        self,
        name: str,
        kept: Sequence[str],
    ) -> np.ndarray:
        """For every category of a column its place among those kept, -1 where it is not; the last
        is that of missing values, whose number is -1.
        """
        place_of = {category: place for place, category in enumerate(kept)}
        places = [place_of.get(category, -1) for category in self.categories[name]]
        return np.array([*places, -1])

    def _counts(self, training: np.ndarray) -> dict[str, np.ndarray]:
        """How many training rows each category of every text column has; the last number counts
        missing values.
        """
        counts: dict[str, np.ndarray] = {}
        for name, categories in self.categories.items():
            counts[name] = np.zeros(len(categories) + 1, dtype=np.int64)
        if not counts:
            return counts
        for rows in _chunks(self.values, training, self._places(list(counts))):
            for column, count in zip(rows.T, counts.values(), strict=True):
                codes = np.where(np.isnan(column), len(count) - 1, column).astype(np.int64)
                count += np.bincount(codes, minlength=len(count))
        return counts


def fit_vectors(
    values: Source,
    training: np.ndarray,
    places: Sequence[int],
    names: Sequence[str],
    *,
    all_columns: bool = False,
    rounding: float = ROUNDING,
) -> tuple[Vectors, dict[str, int]]:
    """As :meth:`softshare.tasks.features.Vectors.fit`, in two passes over the training rows of an
    array.

    Args:
        values: ``(N, C)``.
        training: numbers of the training rows, sorted.
        places: the columns to fit.
        names: of these columns.
        all_columns: also those with one value only.
        rounding: by how much of their size equal values may differ.

    Returns:
        What was fitted, and how many values each column misses.

    Raises:
        ValueError: a number is infinite.
    """
    fill = _sampled_medians(values, training, places)
    sums = _Sums(fill)
    for rows in _chunks(values, training, places):
        check_finite(rows, names)
        sums.add(rows)
    mean, std = sums.mean_and_std(rounding)
    kept = np.flatnonzero(sums.differ | all_columns)
    fitted = Vectors(
        tuple(names[int(place)] for place in kept),
        fill=tuple(fill[kept].tolist()),
        mean=tuple(mean[kept].tolist()),
        std=tuple(std[kept].tolist()),
        indicated=tuple(np.flatnonzero(sums.missing[kept] > 0).tolist()),
    )
    return fitted, dict(zip(names, sums.missing.tolist(), strict=True))


class _Sums:
    """What is added up of columns as their rows come by.

    Values are taken as their distance from the median: sums of squares of large numbers would leave
    nothing of their small differences.

    Args:
        fill: the median of every column, which stands for a missing value, ``(C,)``.
    """

    def __init__(self, fill: np.ndarray) -> None:
        self._fill = fill
        self._n_rows = 0
        self._total = np.zeros(len(fill))
        self._squares = np.zeros(len(fill))
        self._low = np.full(len(fill), np.inf)
        self._high = np.full(len(fill), -np.inf)
        self.missing = np.zeros(len(fill), dtype=np.int64)

    def add(self, rows: np.ndarray) -> None:
        """Some rows more, ``(B, C)``."""
        is_missing = np.isnan(rows)
        distance = np.where(is_missing, 0.0, rows - self._fill)
        self._n_rows += len(rows)
        self.missing += is_missing.sum(axis=0)
        self._total += distance.sum(axis=0)
        self._squares += (distance**2).sum(axis=0)
        self._low = np.minimum(self._low, distance.min(axis=0))
        self._high = np.maximum(self._high, distance.max(axis=0))

    @property
    def differ(self) -> np.ndarray:
        """Where rows differ, in their values or in having one, ``(C,)``."""
        some_missing = (self.missing > 0) & (self.missing < self._n_rows)
        return (self._low < self._high) | some_missing

    def mean_and_std(self, rounding: float) -> tuple[np.ndarray, np.ndarray]:
        """Of all values; a standard deviation of 1 where they are equal but for rounding."""
        distance = self._total / self._n_rows
        variance = np.maximum(self._squares / self._n_rows - distance**2, 0.0)
        equal = are_equal(self._fill + self._low, self._fill + self._high, rounding)
        return self._fill + distance, np.where(equal, 1.0, np.sqrt(variance))


def _sampled_medians(
    values: Source,
    training: np.ndarray,
    places: Sequence[int],
) -> np.ndarray:
    """Of a random sample where there are many rows, as a median needs all its rows at once."""
    sample = training
    if len(training) > MEDIAN_ROWS:
        drawn = np.random.default_rng(0).choice(training, MEDIAN_ROWS, replace=False)
        sample = np.sort(drawn)
    none = np.empty((0, len(places)))
    return medians(np.concatenate([none, *_chunks(values, sample, places)]))


def _chunks(
    values: Source,
    rows: np.ndarray,
    places: Sequence[int],
) -> Iterator[np.ndarray]:
    """These columns of these rows as float64, some rows at a time."""
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        chunk = take(values, rows[begin : begin + ROWS_AT_ONCE])
        yield chunk[:, list(places)].numpy().astype(np.float64)
