"""Medians, means and deviations of many rows, in two passes, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from softshare.tasks.finite import check_finite
from softshare.tasks.sources import Source, take
from softshare.tasks.vectors import ROUNDING, Vectors, are_equal, medians

ROWS_AT_ONCE = 1 << 15
MEDIAN_ROWS = 1 << 17
"""Training rows, drawn at random where there are more, whose medians are put in place of missing
values.
"""


def fit_vectors(
    values: Source,
    training: np.ndarray,
    places: Sequence[int],
    names: Sequence[str],
    *,
    all_columns: bool = False,
    rounding: float = ROUNDING,
) -> tuple[Vectors, dict[str, int]]:
    """As :meth:`softshare.tasks.vectors.Vectors.fit`, in two passes over the training rows of an
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
    fill = _sampled_medians(
        values,
        training,
        places,
    )
    sums = _Sums(fill)
    for rows in _chunks(
        values,
        training,
        places,
    ):
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
        equal = are_equal(
            self._fill + self._low,
            self._fill + self._high,
            rounding,
        )
        return self._fill + distance, np.where(equal, 1.0, np.sqrt(variance))


def _sampled_medians(
    values: Source,
    training: np.ndarray,
    places: Sequence[int],
) -> np.ndarray:
    """Of a random sample where there are many rows, as a median needs all its rows at once."""
    sample = training
    if len(training) > MEDIAN_ROWS:
        drawn = np.random.default_rng(0).choice(
            training,
            MEDIAN_ROWS,
            replace=False,
        )
        sample = np.sort(drawn)
    none = np.empty((0, len(places)))
    return medians(
        np.concatenate(
            [
                none,
                *_chunks(
                    values,
                    sample,
                    places,
                ),
            ]
        )
    )


def _chunks(
    values: Source,
    rows: np.ndarray,
    places: Sequence[int],
) -> Iterator[np.ndarray]:
    """These columns of these rows as float64, some rows at a time."""
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        chunk = take(values, rows[begin : begin + ROWS_AT_ONCE])
        yield chunk[:, list(places)].numpy().astype(np.float64)
