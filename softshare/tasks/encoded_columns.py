"""Columns of a table as one array of numbers, in memory or on disk: made of a frame, fitted, and
turned into features, some rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.column_sums import fit_vectors
from softshare.tasks.features import (
    TableColumns,
    codes_from,
    encoded,
    expanded,
    no_column_left,
    nothing_used,
    part_names,
)
from softshare.tasks.reading import ColumnKind, Reading
from softshare.tasks.sources import Source, take
from softshare.tasks.table_reading import readings_of
from softshare.tasks.target_encoding import Outcome, TargetEncoding

ROWS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class EncodedColumns:
    """A table whose texts stand as the numbers of their categories; NaN where a value is missing.

    Args:
        values: ``(N, C)``, anything that rows can be taken from.
        names: of the columns.
        categories: column of categories → these in the order of their numbers.
        readings: how every column of the table was read, those that are left out among them; of
            plain numbers where none is given.
    """

    values: Source
    names: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()

    @classmethod
    def of(cls, frame: pd.DataFrame, asking: Asking = NOTHING_SAID) -> EncodedColumns:
        """A data frame understood column by column.

        Raises:
            ValueError: a column cannot be read, or may be read in two ways; names all such columns.
        """
        levels, readings = readings_of(frame, asking)
        used = [reading for reading in readings if reading.is_used]
        categories: dict[str, tuple[str, ...]] = {}
        for reading in used:
            if not reading.is_numeric:
                known = set(reading.categories(levels[reading.name])) - {None}
                categories[reading.name] = tuple(sorted(map(str, known)))
        values = encoded(
            levels,
            used,
            categories,
        )
        names = tuple(reading.name for reading in used)
        if not names:
            raise nothing_used(readings)
        return cls(
            values,
            names,
            categories,
            tuple(readings),
        )

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

    def column(self, name: str, rows: np.ndarray | None = None) -> np.ndarray:
        """The numbers of one column, ``(N,)`` or of these rows."""
        if rows is None:
            rows = np.arange(len(self))
        return self._columns([name], rows)[:, 0]

    @property
    def used(self) -> tuple[Reading, ...]:
        """How the columns that inputs are made of were read, in their order."""
        reading_of = {reading.name: reading for reading in self.readings}
        used = []
        for name in self.names:
            kind: ColumnKind = "category" if name in self.categories else "number"
            used.append(reading_of.get(name, Reading(name, kind)))
        return tuple(used)

    def fit(
        self,
        training: np.ndarray,
        folds: np.ndarray | None = None,
        outcomes: Sequence[Outcome] = (),
    ) -> tuple[TableColumns, tuple[str, ...], np.ndarray]:
        """What the training rows say, as :class:`softshare.tasks.features.TableColumns`; notes; and
        what rows that train get for columns of many categories.

        Args:
            training: numbers of the training rows, sorted.
            folds: for every row its fold, -1 where it does not train, ``(N,)``.
            outcomes: what is to be predicted of the training rows.

        Raises:
            ValueError: a number is infinite, or no column is left.

        Shape:
            the last ``(N, features of encoded columns)``.
        """
        parts = [part for reading in self.used for part in part_names(reading)]
        vectors, missing = fit_vectors(
            _Parts(self),
            training,
            range(len(parts)),
            parts,
        )
        told = self._told_by_categories(training, folds, outcomes)
        missing |= told.missing
        kept = {*told.categories, *told.encodings}
        for reading in self.used:
            if not set(vectors.names).isdisjoint(part_names(reading)):
                kept.add(reading.name)
        left_out = [name for name in self.names if name not in kept]
        if not kept:
            raise no_column_left(left_out)
        readings = tuple(reading.bare for reading in self.used if reading.name in kept)
        columns = TableColumns(
            vectors,
            told.categories,
            tuple(told.indicated),
            told.encodings,
            readings,
        )
        made = np.concatenate([np.empty((len(self), 0)), *told.of_rows], axis=1)
        return columns, columns.notes(left_out, missing), made

    def _told_by_categories(
        self,
        training: np.ndarray,
        folds: np.ndarray | None,
        outcomes: Sequence[Outcome],
    ) -> _Categories:
        """What the training rows say of the columns of categories; for the arguments see
        :meth:`fit`.
        """
        told = _Categories()
        read = [reading for reading in self.used if not reading.is_numeric]
        counts_of = self._counts([reading.name for reading in read], training)
        for reading in read:
            name = reading.name
            *by_category, n_missing = counts_of[name]
            told.missing[name] = int(n_missing)
            seen = np.array(by_category) > 0
            if seen.sum() + (n_missing > 0) <= 1:  # being missing tells rows apart too
                continue
            if reading.kind != "many":
                told.categories[name] = self._seen(name, seen)
            elif folds is not None and outcomes:
                told.encodings[name], made = self._encode(name, seen, folds, outcomes)
                told.of_rows.append(made)
            else:
                continue
            if n_missing:
                told.indicated.append(name)
        return told

    def _seen(self, name: str, seen: np.ndarray) -> tuple[str, ...]:
        """The categories of a column at these places."""
        return tuple(np.array(self.categories[name], dtype=object)[seen])

    def features(
        self,
        columns: TableColumns,
        rows: Tensor,
    ) -> Tensor:
        """What ``columns.transform`` makes of rows of this table: ``(B, C)`` → ``(B, features)``.

        The same features as of the table's own cells, from the numbers of their categories.
        """
        values = dict(zip(self.names, rows.numpy().astype(np.float64, copy=False).T, strict=True))
        codes = {}
        for name, kept in columns.known_categories.items():
            places = self._places_among(name, kept)
            codes[name] = places[codes_from(values[name])]
        return columns.of_parts(values, codes)

    def _encode(
        self,
        name: str,
        seen: np.ndarray,
        folds: np.ndarray,
        outcomes: Sequence[Outcome],
    ) -> tuple[TargetEncoding, np.ndarray]:
        kept = self._seen(name, seen)
        codes = self._places_among(name, kept)[codes_from(self.column(name))]
        known = np.where(codes < len(kept), codes, -1)
        return TargetEncoding.fit(
            kept,
            known,
            folds,
            outcomes,
        )

    def _places_among(
        self,
        name: str,
        kept: Sequence[str],
    ) -> np.ndarray:
        """For every category of a column its place among those kept, beyond them where it is not;
        the last is that of missing values, -1, and the last but one that of unknown categories.
        """
        place_of = {category: place for place, category in enumerate(kept)}
        places = [place_of.get(category, len(kept)) for category in self.categories[name]]
        return np.array([*places, len(kept), -1])

    def _counts(self, names: Sequence[str], training: np.ndarray) -> dict[str, np.ndarray]:
        """How many training rows each category of these columns has; the last number of each counts
        missing values.
        """
        counts = {}
        for name in names:
            counts[name] = np.zeros(len(self.categories[name]) + 2, dtype=np.int64)
        # One pass for all columns: rows on a disk are read whole.
        for begin in range(0, len(training), ROWS_AT_ONCE):
            rows = training[begin : begin + ROWS_AT_ONCE]
            some = self._columns(names, rows)
            for name, places in zip(names, some.T, strict=True):
                size = len(counts[name])
                counts[name] += np.bincount(codes_from(places) % size, minlength=size)
        # The last but one are categories beyond those that are known.
        return {name: np.delete(of_column, -2) for name, of_column in counts.items()}

    def _columns(self, names: Sequence[str], rows: np.ndarray) -> np.ndarray:
        wanted = [self.names.index(name) for name in names]
        places = np.array(wanted, dtype=np.int64)
        if isinstance(self.values, np.ndarray) and not isinstance(self.values, np.memmap):
            cells = np.ix_(rows, places)
            return np.asarray(self.values[cells], dtype=np.float64)
        chosen = [np.empty((0, len(places)))]
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            some_rows = rows[begin : begin + ROWS_AT_ONCE]
            some = take(self.values, some_rows)
            chosen.append(some[:, places].numpy().astype(np.float64))
        return np.concatenate(chosen)


@dataclass(frozen=True, eq=False)
class _Categories:
    """What training rows say of the columns of categories.

    Args:
        missing: column → how many rows lack it.
        categories: column → those that rows have, where each becomes a feature of its own.
        encodings: column → what stands for its many categories.
        indicated: columns whose missing values have a feature that says so.
        of_rows: for every encoded column what rows that train get, ``(N, features)``.
    """

    missing: dict[str, int] = field(default_factory=dict)
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    encodings: dict[str, TargetEncoding] = field(default_factory=dict)
    indicated: list[str] = field(default_factory=list)
    of_rows: list[np.ndarray] = field(default_factory=list)


class _Parts:
    """All numbers of a table that are scaled, its dates as their parts.

    Args:
        table: whose they are.
    """

    def __init__(self, table: EncodedColumns) -> None:
        self._table = table
        self._numeric = [reading for reading in table.used if reading.is_numeric]
        self.shape = (len(table), sum(len(part_names(reading)) for reading in self._numeric))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        taken = take(self._table.values, rows).numpy().astype(np.float64, copy=False)
        names = self._table.names
        numbers = {r.name: taken[:, names.index(r.name)] for r in self._numeric}
        parts = list(expanded(numbers, self._numeric).values())
        stacked = np.stack(parts, axis=1) if parts else np.empty((len(taken), 0))
        return torch.from_numpy(stacked)


def rows_at_once(n_rows: int) -> Iterator[np.ndarray]:
    """The numbers of all rows, some at a time."""
    for begin in range(0, n_rows, ROWS_AT_ONCE):
        yield np.arange(begin, min(begin + ROWS_AT_ONCE, n_rows))
