"""How all columns of a table are read: each by itself, and what only the others tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd
from pandas.api.types import is_object_dtype, is_string_dtype

from softshare.tasks.asking import Asking
from softshare.tasks.levels import Levels
from softshare.tasks.reading import Reading
from softshare.tasks.understand import understand
from softshare.tasks.written_numbers import Written

MOST_INPUTS = 2_000
"""Inputs of 0 and 1 that all columns of categories together may make."""

_LOOKED_AT = 50
_ROWS_LOOKED_AT = 2_000
_FRACTION = {
    ".": re.compile(r"\d*\.(\d{1,2}|\d{4,})|0\.\d+"),
    ",": re.compile(r"\d*,(\d{1,2}|\d{4,})|0,\d+"),
}


def readings_of(
    frame: pd.DataFrame,
    asking: Asking,
) -> tuple[dict[str, Levels], list[Reading]]:
    """Every column taken apart, and how it is read.

    Raises:
        ValueError: columns that cannot be read, or may be read in two ways; names all of them.
    """
    levels: dict[str, Levels] = {}
    wrong: list[str] = []
    for name in frame.columns:
        if asking.columns.get(str(name)) == "drop":
            nothing = pd.Series([None] * len(frame), dtype=object)
            levels[str(name)] = Levels.of(nothing)
            continue
        try:
            levels[str(name)] = Levels.of(frame[name])
        except TypeError:
            wrong.append(
                f"column {name!r} holds lists or other objects; leave it out (drop {name!r})"
            )
    readings, unclear = understood(levels, asking)
    wrong += unclear
    if wrong:
        raise ValueError("; ".join(wrong))
    return levels, readings


def understood(
    levels: Mapping[str, Levels],
    asking: Asking,
) -> tuple[list[Reading], list[str]]:
    """How every column is read, and what is wrong with those that cannot be."""
    told = replace(asking, usual=asking.usual or usual_decimal(list(levels.values())))
    readings: list[Reading] = []
    wrong: list[str] = []
    for name, column in levels.items():
        try:
            readings.append(
                understand(
                    name,
                    column,
                    told,
                )
            )
        except ValueError as error:
            wrong.append(str(error))
    return bounded(readings), wrong


def with_usual_decimal(frame: pd.DataFrame, asking: Asking) -> Asking:
    """What was said, and what stands before fractions in the columns of a table, where that is
    clear of some of its rows: by that targets and weights are read as well as inputs.
    """
    if asking.usual is not None:
        return asking
    some = frame.iloc[:: max(1, len(frame) // _ROWS_LOOKED_AT)]
    found = []
    for name in some.columns:
        if is_object_dtype(some[name]) or is_string_dtype(some[name]):
            with suppress(TypeError, ValueError):  # whoever reads the column tells of it
                found.append(Levels.of(some[name]))
    return replace(asking, usual=usual_decimal(found))


def usual_decimal(columns: Sequence[Levels]) -> str | None:
    """What stands before fractions in a table, or None where no column makes that clear."""
    found = set()
    for levels in columns:
        if levels.held != "text":
            continue
        texts = levels.values[:: max(1, len(levels.values) // _LOOKED_AT)]
        written = [number for number in map(Written.of, texts) if number is not None]
        if not written or len(written) < len(texts) / 2:
            continue
        for mark, fraction in _FRACTION.items():
            if any(fraction.fullmatch(number.body) for number in written):
                found.add(mark)
    return found.pop() if len(found) == 1 else None


def bounded(readings: Sequence[Reading]) -> list[Reading]:
    """The same readings, with the encoding for many categories where a table would have too many
    inputs: first for the columns with the most.
    """
    total = sum(reading.n_values for reading in readings if reading.kind == "category")
    by_size = sorted(readings, key=lambda reading: -reading.n_values)
    changed = set()
    for reading in by_size:
        if total > MOST_INPUTS and reading.kind == "category":
            changed.add(reading.name)
            total -= reading.n_values
    return [
        replace(reading, kind="many") if reading.name in changed else reading
        for reading in readings
    ]
