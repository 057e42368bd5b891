"""From a column as it stands to how it is read, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softshare.tasks import missing
from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.category_columns import as_category, as_empty
from softshare.tasks.date_columns import as_asked_date, as_date, texts_as_dates
from softshare.tasks.levels import Levels
from softshare.tasks.number_columns import as_numbers
from softshare.tasks.number_texts import texts_as_numbers
from softshare.tasks.reading import EXAMPLES, Asked, Reading, is_truth
from softshare.tasks.written_numbers import NumberForm


def understand(name: str, levels: Levels, asking: Asking = NOTHING_SAID) -> Reading:
    """How a column is read.

    Raises:
        ValueError: it holds numbers or dates that may be read in two ways, or that cannot be read
            as was asked; says what to type.
    """
    asked = asking.columns.get(name)
    reading = _read(name, levels, asking, asked)
    absent = int((levels.codes < 0).sum())
    absent += int(levels.counts[reading.is_missing(levels)].sum()) if reading.missing else 0
    shown = [
        text for text in levels.first_texts(10 * EXAMPLES) if text.lower() not in reading.missing
    ]
    return replace(
        reading,
        n_missing=absent,
        examples=tuple(shown[:EXAMPLES]),
        n_values=reading.n_values or len(levels.values),
        asked=asked is not None,
    )


def _read(name: str, levels: Levels, asking: Asking, asked: Asked | None) -> Reading:
    if asked == "drop":
        return Reading(name, "left out", "as asked")
    if not len(levels.values):
        return as_empty(name)
    if asked is not None:
        return _as_asked(name, levels, asking, asked)
    if levels.held == "text":
        return _of_texts(name, levels, asking)
    if levels.held == "categories":
        return as_category(name, levels, asking, "held as categories")
    if levels.held == "boolean":
        return Reading(name, "boolean", "true and false")
    if levels.held == "date":
        return as_date(name, levels.values, "dates", None)
    if levels.held == "duration":
        return Reading(name, "number", "durations, in seconds")
    return as_numbers(name, levels, levels.values, asking, Reading(name, "number", "numbers"))


def _as_asked(name: str, levels: Levels, asking: Asking, asked: Asked) -> Reading:
    if asked == "category":
        return as_category(name, levels, asking, "as asked", asked=True)
    if asked != "number":
        return as_asked_date(name, levels, asking, asked)
    if levels.held == "text":
        return _of_texts(name, levels, asking, is_number=True)
    return Reading(name, "number", "as asked")


def _of_texts(name: str, levels: Levels, asking: Asking, *, is_number: bool = False) -> Reading:
    texts = levels.values
    words = asking.missing(missing.AMONG_NUMBERS)
    absent = missing.mask_of(texts, words)
    known = texts[~absent]
    if not len(known):
        return as_category(name, levels, asking, "texts")
    told = tuple(sorted({text.lower() for text in texts[absent]}))
    if all(is_truth(text) for text in known):
        return Reading(name, "boolean", "true and false", missing=told)
    if not is_number:
        dated = texts_as_dates(name, levels, ~absent)
        if dated is not None:
            return replace(dated, missing=told)
    numbered = texts_as_numbers(name, levels, ~absent, asking, is_number=is_number)
    if numbered is None:
        if is_number:
            raise ValueError(f"column {name!r} holds no numbers, such as {known[0]!r}")
        return as_category(name, levels, asking, "texts")
    if numbered.kind != "number":
        return as_category(name, levels, asking, numbered.why)
    reading = replace(numbered, missing=told)
    if told:
        n_rows = int(levels.counts[absent].sum())
        listed = ", ".join(map(repr, told))
        note = f"column {name!r}: {n_rows:,} value(s) {listed} among numbers are read as missing"
        reading = replace(reading, cautions=(*reading.cautions, note))
    if is_number:
        return reading
    numbers = np.full(len(texts), np.nan)
    form = reading.number or NumberForm()
    numbers[~absent] = form.numbers(list(known))
    return as_numbers(name, levels, numbers, asking, reading)
