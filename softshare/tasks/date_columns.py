"""A column of dates or times of day: the form they are written in, and the parts that vary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from softshare.tasks import missing, moments, written_dates
from softshare.tasks.asking import Asking
from softshare.tasks.levels import Levels
from softshare.tasks.number_texts import are_categories
from softshare.tasks.reading import Reading
from softshare.tasks.written_dates import DateForm, UnclearDatesError


def texts_as_dates(name: str, levels: Levels, known: np.ndarray) -> Reading | None:
    """The reading of texts as dates or times; None where they are none."""
    texts = list(levels.values[known])
    try:
        form = written_dates.form_of(texts)
    except UnclearDatesError as error:
        raise ValueError(
            f"column {name!r}: {error}; say which (columns {name}=day-first or "
            f"{name}=month-first), or read it as categories (columns {name}=category)"
        ) from None
    if form is None:
        return None
    seconds = written_dates.seconds_of(texts, form)
    is_date = np.isfinite(seconds)
    if form == "digits" and (not is_date.all() or len(texts) < 3):
        return None  # numbers that happen to look like dates
    counts = levels.counts[known]
    if not is_date.all() and are_categories(texts, counts, is_date):
        return None
    return as_date(name, seconds, "times of day" if form == "time" else f"dates, {form}", form)


def as_date(name: str, seconds: np.ndarray, why: str, form: DateForm | None) -> Reading:
    """The reading of a column of moments, of which those parts are used that vary."""
    of_day = form == "time"
    parts = moments.parts_of(seconds, of_day=of_day)
    return Reading(name, "time" if of_day else "date", why, date=form, parts=parts)


def as_asked_date(name: str, levels: Levels, asking: Asking, asked: str) -> Reading:
    """The same of a column that was said to hold dates."""
    if levels.held == "date":
        return as_date(name, levels.values, "as asked", None)
    texts = np.array(levels.texts, dtype=object)
    words = asking.missing(missing.AMONG_NUMBERS)
    absent = missing.mask_of(texts, words)
    known = list(texts[~absent])
    wanted: Any = None if asked == "date" else asked
    try:
        form = written_dates.form_of(known, wanted=wanted)
    except UnclearDatesError:
        form = "day-first"
    if form is None:
        raise _no_dates(name, known or list(texts), wanted)
    seconds = written_dates.seconds_of(known, form)
    told = tuple(sorted({text.lower() for text in texts[absent]}))
    return replace(as_date(name, seconds, f"as asked, {form}", form), missing=told)


def _no_dates(name: str, texts: list[str], wanted: DateForm | None) -> ValueError:
    """That texts are no dates, or are dates of several forms; names one that does not fit."""
    if wanted is not None:
        fits = np.isfinite(written_dates.seconds_of(texts, wanted))
        if fits.any():
            first, other = texts[int(fits.argmax())], texts[int((~fits).argmax())]
            return ValueError(
                f"column {name!r} has dates of several forms, such as {first!r} and {other!r}; "
                f"write them in one, or leave the column out (drop {name!r})"
            )
    return ValueError(f"column {name!r} holds no dates, such as {texts[0]!r}")
