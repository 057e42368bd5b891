"""What a column of a large table holds, as the parts of the table come by."""

from __future__ import annotations

from typing import Any

import numpy as np

from softshare.tasks.levels import Held, Levels, text_of

MOST_VALUES = 50_000
"""Different values of a column that are kept, the first ones: enough to tell how it is read.
Categories beyond them are one.
"""


class ColumnContent:
    """The different values of a column, with the rows of each."""

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._held: set[Held] = set()
        self._n_absent = 0

    def add(self, levels: Levels) -> None:
        """Some rows more."""
        self._n_absent += int((levels.codes < 0).sum())
        if not len(levels.values):
            return
        self._held.add(levels.held)
        values = levels.values.tolist()
        in_order = np.argsort(_first_rows(levels), kind="stable")
        for place in in_order:
            value = values[place]
            if value in self._counts or len(self._counts) < MOST_VALUES:
                self._counts[value] = self._counts.get(value, 0) + int(levels.counts[place])

    def levels(self) -> Levels:
        """The column as far as it is known: its rows where all are different, else rows sorted by
        their values.
        """
        values, counts = list(self._counts), np.array(list(self._counts.values()), dtype=np.int64)
        held = next(iter(self._held)) if len(self._held) == 1 else "text"
        if len(self._held) > 1:
            values = [text_of(value) for value in values]
        codes = np.repeat(np.arange(len(values)), counts)
        codes = np.concatenate([codes, np.full(self._n_absent, -1)])
        dtype = object if held in ("text", "categories") else np.float64
        return Levels(np.array(values, dtype=dtype), codes, counts, held)


def _first_rows(levels: Levels) -> np.ndarray:
    """The first row of every value."""
    first = np.full(len(levels.values), levels.n_rows)
    rows = np.arange(levels.n_rows)[::-1]
    codes = levels.codes[::-1]
    first[codes[codes >= 0]] = rows[codes >= 0]
    return first
