"""A column of numbers: whether they are dates, names of rows or persons, or codes for missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from softshare.tasks import code_like, missing
from softshare.tasks.asking import Asking
from softshare.tasks.category_columns import as_category, as_persons
from softshare.tasks.date_columns import texts_as_dates
from softshare.tasks.far_values import told_far
from softshare.tasks.levels import Levels, text_of
from softshare.tasks.reading import Reading


def as_numbers(
    name: str, levels: Levels, numbers: np.ndarray, asking: Asking, reading: Reading
) -> Reading:
    """A column of numbers: whether some are codes for missing, or all are names."""
    if levels.held == "number":
        every = np.ones(len(numbers), dtype=bool)
        dated = texts_as_dates(name, levels.as_texts(), every) if _long(numbers) else None
        if dated is not None and dated.date == "digits":
            return dated
    found = code_like.of_numbers(name, numbers, levels.codes)
    if found is not None and found.verdict == "rows":
        told = f"column {name!r}: {found.why}, left out; columns {name}=number uses it"
        return Reading(name, "left out", found.why, cautions=(told,))
    if found is not None and found.verdict == "persons":
        return as_persons(name, found.why)
    if found is not None and found.verdict == "codes":
        return as_category(name, levels.as_texts(), asking, found.why)
    cautions = list(reading.cautions)
    if found is not None:
        cautions.append(
            f"column {name!r}: {found.why}; if it names rows or things, leave it out (drop), or "
            f"read categories (columns {name}=category)"
        )
    codes = missing.codes_among(numbers, levels.counts) if asking.na is None else ()
    if codes:
        here = np.isin(numbers, codes)
        cautions.append(_told_codes(name, codes, int(levels.counts[here].sum())))
        written = [text.lower() for text in np.array(levels.texts)[here]]
        known = sorted({*reading.missing, *written})
        reading = replace(reading, missing=tuple(known))
        numbers = np.where(here, np.nan, numbers)
    cautions += told_far(f"column {name!r}", numbers, levels.counts)
    return replace(reading, cautions=tuple(cautions))


def _told_codes(
    name: str,
    codes: Sequence[float],
    n_rows: int,
) -> str:
    """That numbers such as -999 mean that there is none."""
    told = ", ".join(map(text_of, codes))
    return (
        f"column {name!r}: {told} in {n_rows:,} row(s) is read as missing; "
        f"columns {name}=number reads it as a number"
    )


def _long(numbers: np.ndarray) -> bool:
    """Whether all have the eight digits of a date."""
    known = numbers[np.isfinite(numbers)]
    return len(known) > 2 and bool(((known >= 19_000_101) & (known < 21_000_000)).all())
