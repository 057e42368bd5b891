"""Columns of a table as one array of numbers, on disk perhaps: fitted, and turned into features,
some rows at a time.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.features import TableColumns, Vectors
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
        vectors, missing = fit_vectors(self.values, training, self._places(numeric), numeric)
        counts = self._counts(training)
        missing |= {name: int(count[-1]) for name, count in counts.items()}
        seen = {
            name: tuple(np.array(self.categories[name], dtype=object)[count[:-1] > 0])
            for name, count in counts.items()
        }
        categories = {
            name: found for name, found in seen.items() if len(found) + (missing[name] > 0) > 1
        }
        left_out = [name for name in self.names if name not in (*vectors.names, *categories)]
        if len(left_out) == len(self.names):
            raise ValueError(
                f"no input column is left: {', '.join(map(repr, left_out))} have one value "
                "only in the training rows"
            )
        columns = TableColumns(
            vectors, categories, tuple(name for name in categories if missing[name])
        )
        return columns, columns.notes(left_out, missing)

    def features(self, columns: TableColumns, rows: Tensor) -> Tensor:
        """What ``columns.transform`` makes of rows of this table, ``(B, C)`` → ``(B, features)``."""
        parts = [columns.numeric.transform(rows[:, self._places(columns.numeric.names)])]
        for name, kept in columns.categories.items():
            place_of = np.append(
                [
                    kept.index(category) if category in kept else -1
                    for category in self.categories[name]
                ],
                -1,
            )
            codes = rows[:, self.names.index(name)].nan_to_num(nan=-1.0).long()
            parts.append(
                (torch.from_numpy(place_of)[codes][:, None] == torch.arange(len(kept))).float()
            )
        parts += [
            rows[:, self.names.index(name)].isnan().float()[:, None] for name in columns.indicated
        ]
        return torch.cat(parts, dim=1)

    def _places(self, names: Sequence[str]) -> list[int]:
        return [self.names.index(name) for name in names]

    def _counts(self, training: np.ndarray) -> dict[str, np.ndarray]:
        """How many training rows each category of every text column has; the last number counts
        missing values.
        """
        counts = {
            name: np.zeros(len(categories) + 1, dtype=np.int64)
            for name, categories in self.categories.items()
        }
        for rows in _chunks(self.values, training, self._places(list(counts))) if counts else ():
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
) -> tuple[Vectors, dict[str, int]]:
    """As :meth:`softshare.tasks.features.Vectors.fit`, in two passes over the training rows of an
    array.

    Args:
        values: ``(N, C)``.
        training: numbers of the training rows, sorted.
        places: the columns to fit.
        names: of these columns.
        all_columns: also those with one value only.

    Returns:
        What was fitted, and how many values each column misses.

    Raises:
        ValueError: a number is infinite.
    """
    sample = (
        np.sort(np.random.default_rng(0).choice(training, MEDIAN_ROWS, replace=False))
        if len(training) > MEDIAN_ROWS
        else training
    )
    fill = _medians(np.concatenate([np.empty((0, len(places))), *_chunks(values, sample, places)]))
    n, total, squares = len(training), *np.zeros((2, len(places)))
    missing, low, high = (
        np.zeros(len(places), dtype=np.int64),
        np.full(len(places), np.inf),
        np.full(len(places), -np.inf),
    )
    for rows in _chunks(values, training, places):
        check_finite(rows, names)
        apart = np.where(np.isnan(rows), 0.0, rows - fill)  # from the median: squares stay small
        missing += np.isnan(rows).sum(axis=0)
        total, squares = total + apart.sum(axis=0), squares + (apart**2).sum(axis=0)
        low, high = np.minimum(low, apart.min(axis=0)), np.maximum(high, apart.max(axis=0))
    std = np.where(low == high, 1.0, np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0.0)))
    kept = np.flatnonzero((low < high) | (missing > 0) & (missing < n) | all_columns)
    fitted = Vectors(
        tuple(names[int(place)] for place in kept),
        fill=tuple(fill[kept].tolist()),
        mean=tuple((fill + total / n)[kept].tolist()),
        std=tuple(std[kept].tolist()),
        indicated=tuple(np.flatnonzero(missing[kept] > 0).tolist()),
    )
    return fitted, dict(zip(names, missing.tolist(), strict=True))


def _medians(sample: np.ndarray) -> np.ndarray:
    """Of the values that are there; 0 for a column without any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return (
            np.nan_to_num(np.nanmedian(sample, axis=0))
            if len(sample)
            else np.zeros(sample.shape[1])
        )


def _chunks(values: Source, rows: np.ndarray, places: Sequence[int]) -> Iterator[np.ndarray]:
    """These columns of these rows as float64, some rows at a time."""
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        yield (
            take(values, rows[begin : begin + ROWS_AT_ONCE])[:, list(places)]
            .numpy()
            .astype(np.float64)
        )
