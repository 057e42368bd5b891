"""How a column of a table is read: a value that is shown, applied to new rows and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from softshare.tasks.levels import Levels
from softshare.tasks.written_dates import DateForm, UnclearDatesError, form_of, seconds_of
from softshare.tasks.written_numbers import NumberForm

ColumnKind = Literal["number", "boolean", "category", "many", "date", "time", "left out", "role"]
"""What becomes of a column.

number, boolean  one input, scaled
category         an input of 0 and 1 for every category
many             what the training rows' targets say of every category
date, time       how much time went by; where in the year, the week and the day
left out         no input
role             no input: it names the task, the target, the group or the part of a row
"""

Asked = Literal["number", "category", "date", "day-first", "month-first", "time", "drop"]
"""How a column can be asked to be read."""

EXAMPLES = 3

YES = ("true", "t", "yes", "y", "wahr", "ja", "oui", "vrai", "si", "sí", "sim", "1")
NO = ("false", "f", "no", "n", "falsch", "nein", "non", "faux", "não", "0")
"""Words for true and false."""


@dataclass(frozen=True)
class Reading:
    """How one column is read, and why.

    Args:
        name: of the column.
        kind: what becomes of it.
        why: in a few words.
        examples: some of its values as they are written.
        n_values: how many different ones it has.
        n_missing: rows in which it is missing.
        missing: texts that mean so there, in lower case.
        number: how its numbers are written.
        date: how its dates are written; None where they are of a type of their own.
        parts: what is made of a date (:mod:`softshare.tasks.moments`).
        same: text → the spelling that stands for it (``yes`` → ``Yes``).
        cautions: what its owner should know.
        asked: whether it was said how to read it.
    """

    name: str
    kind: ColumnKind
    why: str = ""
    examples: tuple[str, ...] = ()
    n_values: int = 0
    n_missing: int = 0
    missing: tuple[str, ...] = ()
    number: NumberForm | None = None
    date: DateForm | None = None
    parts: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    asked: bool = False

    @property
    def is_used(self) -> bool:
        """Whether inputs are made of it."""
        return self.kind not in ("left out", "role")

    @property
    def bare(self) -> Reading:
        """The same without what is only shown: all that new rows need."""
        return replace(
            self,
            why="",
            examples=(),
            n_values=0,
            n_missing=0,
            cautions=(),
        )

    @property
    def is_numeric(self) -> bool:
        """Whether a row's value is one number, which is scaled."""
        return self.kind in ("number", "boolean", "date", "time")

    @property
    def n_inputs(self) -> int:
        """How many inputs are made of it, those that say where it is missing among them; of many
        categories one a class at least.
        """
        if not self.is_used:
            return 0
        indicator = int(self.n_missing > 0)
        made = {"category": self.n_values, "date": len(self.parts), "time": len(self.parts)}
        return made.get(self.kind, 1) + indicator

    def is_missing(self, levels: Levels) -> np.ndarray:
        """Which of a column's values mean that it is missing, ``(L,)``."""
        if not self.missing or not len(levels.values):
            return np.zeros(len(levels.values), dtype=bool)
        if levels.held in ("text", "categories"):
            return np.array([text.lower() in self.missing for text in levels.values], dtype=bool)
        codes = [float(text) for text in self.missing if _is_float(text)]
        return np.isin(levels.values, codes)

    def numbers(self, levels: Levels, *, first_row: int = 0) -> np.ndarray:
        """The number that each of a column's values is, NaN where it is missing, ``(L,)``.

        Args:
            levels: the column.
            first_row: number of its first row in the table, for errors.

        Raises:
            ValueError: a value is none of a column that holds numbers, booleans or dates; names the
                first.
        """
        levels = self._as_learned(levels)
        missing = self.is_missing(levels)
        if levels.held != "text":
            return np.where(missing, np.nan, _as_floats(levels, self.name))
        texts = list(levels.values[~missing])
        if self.kind == "boolean":
            read = np.array([_truth(text) for text in texts])
        elif self._is_moment:
            read = self._moments(texts)
        else:
            read = (self.number or NumberForm()).numbers(texts)
        wrong = np.isnan(read)
        if wrong.any():
            raise self._mistake(
                levels,
                np.flatnonzero(~missing)[wrong],
                first_row,
            )
        numbers = np.full(len(levels.values), np.nan)
        numbers[~missing] = read
        return numbers

    @property
    def _is_moment(self) -> bool:
        return self.kind in ("date", "time")

    def _as_learned(self, levels: Levels) -> Levels:
        """The same column, of numbers as texts where dates are wanted: 20210304.

        Raises:
            ValueError: dates stand where there were none in training.
        """
        if self._is_moment and levels.held == "number":
            return levels.as_texts()
        if levels.held == "date" and not self._is_moment:
            raise ValueError(
                f"column {self.name!r} holds dates, such as {levels.first_texts(1)[0]}, where it "
                "held none in training; hand in what it held then"
            )
        return levels

    def _moments(self, texts: Sequence[str]) -> np.ndarray:
        """Seconds of dates and times as they were written in training; of dates with the year
        first too, which are never unclear.

        Raises:
            ValueError: in training they were of a type of their own, and these may have the day or
                the month first.
        """
        try:
            form = self.date or form_of(texts)
        except UnclearDatesError as error:
            told = "write them with the year first (2021-03-04)"
            raise ValueError(f"column {self.name!r}: {error}; {told}") from None
        if form is None or (form == "time") != (self.kind == "time"):
            form = "time" if self.kind == "time" else "year-first"
        seconds = seconds_of(texts, form)
        if self.kind == "date" and np.isnan(seconds).any():
            seconds = np.where(np.isnan(seconds), seconds_of(texts, "year-first"), seconds)
        return seconds

    def categories(self, levels: Levels) -> list[str | None]:
        """The category that each of a column's values is, None where it is missing."""
        texts = levels.texts
        missing = self.is_missing(levels)
        found: list[str | None] = []
        for text, is_missing in zip(texts, missing, strict=True):
            found.append(None if is_missing else self.same.get(text, text))
        return found

    def _mistake(self, levels: Levels, wrong: np.ndarray, first_row: int) -> ValueError:
        holds = {"boolean": "true and false", "date": "dates", "time": "times"}
        n_rows = int(levels.counts[wrong].sum())
        first = int(np.isin(levels.codes, wrong).argmax())
        text = levels.values[levels.codes[first]]
        return ValueError(
            f"column {self.name!r} holds {holds.get(self.kind, 'numbers')}, but {n_rows} value(s) "
            f"are not: {text!r} in row {first_row + first + 1} (the header not counted); correct "
            "them, leave them empty, say that they mean missing (na), read categories (columns "
            f"{self.name}=category), or leave the column out (drop {self.name!r})"
        )


def is_truth(text: str) -> bool:
    """Whether a text is a word for true or false."""
    return text.lower() in ("true", "false", "wahr", "falsch", "vrai", "faux")


def _truth(text: str) -> float:
    lower = text.lower()
    if lower in YES:
        return 1.0
    return 0.0 if lower in NO else np.nan


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_floats(levels: Levels, name: str) -> np.ndarray:
    try:
        return levels.values.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"column {name!r} must hold numbers, as in training") from None
