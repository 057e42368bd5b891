"""From a column as it stands to how it is read, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from softshare.tasks import code_like, missing, moments, written_dates, written_numbers
from softshare.tasks.levels import Levels
from softshare.tasks.reading import EXAMPLES, Asked, Reading, is_truth
from softshare.tasks.written_dates import DateForm, UnclearDatesError
from softshare.tasks.written_numbers import PLAIN, NumberForm, UnclearNumbersError, Written

MOSTLY = 0.9
"""A column of which so many rows are numbers is one of numbers with mistakes in it."""

MOST_ONE_HOT = 50
"""A column of more categories gets the encoding for many."""

FEW_VALUES = 20
"""Texts that stand among numbers and come again are categories where there are no more values."""


@dataclass(frozen=True)
class Asking:
    """What was said of how to read a table.

    Args:
        columns: name → how it is to be read.
        na: the texts that mean missing, in place of the usual ones.
        decimal: what stands before fractions.
        usual: what stands before fractions in columns where that is clear.
    """

    columns: Mapping[str, Asked] = field(default_factory=dict)
    na: tuple[str, ...] | None = None
    decimal: str | None = None
    usual: str | None = None

    def missing(self, usual: frozenset[str]) -> frozenset[str]:
        """The words that mean missing, in lower case."""
        return usual if self.na is None else frozenset(text.strip().lower() for text in self.na)


NOTHING_SAID = Asking()


def understand(
    name: str,
    levels: Levels,
    asking: Asking = NOTHING_SAID,
) -> Reading:
    """How a column is read.

    Raises:
        ValueError: it holds numbers or dates that may be read in two ways, or that cannot be read
            as was asked; says what to type.
    """
    asked = asking.columns.get(name)
    reading = _read(
        name,
        levels,
        asking,
        asked,
    )
    absent = int((levels.codes < 0).sum())
    absent += int(levels.counts[reading.is_missing(levels)].sum()) if reading.missing else 0
    shown = [text for text in levels.texts[: 10 * EXAMPLES] if text.lower() not in reading.missing]
    return replace(
        reading,
        n_missing=absent,
        examples=tuple(shown[:EXAMPLES]),
        n_values=reading.n_values or len(levels.values),
        asked=asked is not None,
    )


def _read(name: str, levels: Levels, asking: Asking, asked: Asked | None) -> Reading:
    if asked == "drop":
        return Reading(
            name,
            "left out",
            "as asked",
        )
    if not len(levels.values):
        return _empty(name)
    if asked is not None:
        return _as_asked(
            name,
            levels,
            asking,
            asked,
        )
    if levels.held == "text":
        return _of_texts(
            name,
            levels,
            asking,
        )
    if levels.held == "categories":
        return _category(
            name,
            levels,
            asking,
            "held as categories",
        )
    if levels.held == "boolean":
        return Reading(
            name,
            "boolean",
            "true and false",
        )
    if levels.held == "date":
        return _date(
            name,
            levels.values,
            "dates",
            None,
        )
    if levels.held == "duration":
        return Reading(
            name,
            "number",
            "durations, in seconds",
        )
    return _of_numbers(
        name,
        levels,
        levels.values,
        asking,
        Reading(
            name,
            "number",
            "numbers",
        ),
    )


def _as_asked(name: str, levels: Levels, asking: Asking, asked: Asked) -> Reading:
    if asked == "category":
        return _category(
            name,
            levels,
            asking,
            "as asked",
            asked=True,
        )
    if asked != "number":
        return _asked_date(
            name,
            levels,
            asking,
            asked,
        )
    if levels.held == "text":
        return _of_texts(
            name,
            levels,
            asking,
            is_number=True,
        )
    return Reading(
        name,
        "number",
        "as asked",
    )


def _empty(name: str) -> Reading:
    return Reading(
        name,
        "left out",
        "empty",
        cautions=(f"column {name!r}: empty, left out",),
    )


# --- texts ---------------------------------------------------------------------------------------


def _of_texts(
    name: str,
    levels: Levels,
    asking: Asking,
    *,
    is_number: bool = False,
) -> Reading:
    texts = levels.values
    words = asking.missing(missing.AMONG_NUMBERS)
    absent = missing.mask_of(texts, words)
    known = texts[~absent]
    if not len(known):
        return _category(
            name,
            levels,
            asking,
            "texts",
        )
    told = tuple(sorted({text.lower() for text in texts[absent]}))
    if all(is_truth(text) for text in known):
        return Reading(
            name,
            "boolean",
            "true and false",
            missing=told,
        )
    if not is_number:
        dated = _dated(
            name,
            levels,
            ~absent,
        )
        if dated is not None:
            return replace(dated, missing=told)
    numbered = _numbered(
        name,
        levels,
        ~absent,
        asking,
        is_number=is_number,
    )
    if numbered is None:
        if is_number:
            raise ValueError(f"column {name!r} holds no numbers, such as {known[0]!r}")
        return _category(
            name,
            levels,
            asking,
            "texts",
        )
    if numbered.kind != "number":
        return _category(
            name,
            levels,
            asking,
            numbered.why,
        )
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
    return _of_numbers(
        name,
        levels,
        numbers,
        asking,
        reading,
    )


def _numbered(
    name: str,
    levels: Levels,
    known: np.ndarray,
    asking: Asking,
    *,
    is_number: bool,
) -> Reading | None:
    """The reading of texts as numbers, of kind category where they are codes of digits; None where
    they are neither.
    """
    texts, counts = list(levels.values[known]), levels.counts[known]
    if not PLAIN.issuperset("".join(texts)):
        is_written = np.array([Written.of(text) is not None for text in texts])
        if counts[is_written].sum() < MOSTLY * counts.sum():
            return None
        if not is_number and _are_categories(
            texts,
            counts,
            is_written,
        ):
            return None
        texts = [text for text, fits in zip(texts, is_written, strict=True) if fits]
    if not is_number and any(map(written_numbers.is_code, texts)):
        return Reading(
            name,
            "category",
            "codes of digits, such as " + _first_code(texts),
        )
    try:
        form = written_numbers.form_of(
            texts,
            decimal=asking.decimal,
            usual=asking.usual,
        )
    except UnclearNumbersError as error:
        raise ValueError(f"column {name!r}: {error}; say which (decimal '.' or ',')") from None
    if form is None:
        return _of_several_forms(name, texts)
    read = np.isfinite(form.numbers(texts))
    if read.mean() < MOSTLY:
        return None  # 10.0.0.1, or 030 123456
    return Reading(
        name,
        "number",
        _how_written(form),
        number=form,
        cautions=_written_cautions(
            name,
            texts,
            form,
        ),
    )


def _are_categories(texts: Sequence[str], counts: np.ndarray, is_number: np.ndarray) -> bool:
    """Whether what stands among numbers is a category, as ``5+`` in a column of 1 to 4."""
    others = counts[~is_number]
    return len(texts) <= FEW_VALUES and len(others) > 0 and bool((others > 1).all())


def _first_code(texts: Sequence[str]) -> str:
    return next(text for text in texts if written_numbers.is_code(text))


def _of_several_forms(name: str, texts: Sequence[str]) -> Reading | None:
    """What to do where numbers are not written in one way: refuse them, unless they are names."""
    units: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        found = Written.of(text)
        if found is not None:
            units[found.unit].append(text)
    known = {sign.lower() for sign in written_numbers.CURRENCIES} | written_numbers.UNITS | {""}
    named = [unit for unit in units if unit]
    if not set(units) <= known:
        return None
    examples = " and ".join(repr(of_unit[0]) for of_unit in list(units.values())[:2])
    if len(named) > 1:
        told = f"has numbers in several units ({examples})"
    else:
        told = f"has numbers written in several ways ({_two_ways(texts)})"
    raise ValueError(
        f"column {name!r} {told}; write them in one, read them as categories "
        f"(columns {name}=category), or leave the column out (drop {name!r})"
    )


def _two_ways(texts: Sequence[str]) -> str:
    with_comma = next((text for text in texts if "," in text), texts[0])
    with_point = next((text for text in texts if "," not in text), texts[-1])
    return f"{with_comma!r} and {with_point!r}"


def _how_written(form: NumberForm) -> str:
    told = ["numbers"]
    if form.unit:
        told.append(f"without {form.unit!r}")
    if form.thousands:
        told.append(f"thousands marked by {form.thousands!r}")
    if form.decimal == ",":
        told.append("decimal commas")
    return ", ".join(told)


def _written_cautions(name: str, texts: Sequence[str], form: NumberForm) -> tuple[str, ...]:
    if form == NumberForm() and PLAIN.issuperset("".join(texts)):
        return ()
    bodies = {}
    limits = []
    for text in texts:
        found = Written.of(text)
        if found is not None:
            bodies[text] = found.body
            limits += [text] if found.limit else []
    told = []
    if limits:
        told.append(f"column {name!r}: limits such as {limits[0]!r} are read as the number itself")
    if form.thousands and not any(form.decimal in body for body in bodies.values()):
        text = next(text for text, body in bodies.items() if form.thousands in body)
        number = form.numbers([text])[0]
        told.append(f"column {name!r}: {text!r} is read as {number:.15g}")
    return tuple(told)


# --- dates ---------------------------------------------------------------------------------------


def _dated(name: str, levels: Levels, known: np.ndarray) -> Reading | None:
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
    if not is_date.all() and _are_categories(
        texts,
        counts,
        is_date,
    ):
        return None
    return _date(
        name,
        seconds,
        "times of day" if form == "time" else f"dates, {form}",
        form,
    )


def _date(
    name: str,
    seconds: np.ndarray,
    why: str,
    form: DateForm | None,
) -> Reading:
    of_day = form == "time"
    parts = moments.parts_of(seconds, of_day=of_day)
    return Reading(
        name,
        "time" if of_day else "date",
        why,
        date=form,
        parts=parts,
    )


def _asked_date(name: str, levels: Levels, asking: Asking, asked: str) -> Reading:
    if levels.held == "date":
        return _date(
            name,
            levels.values,
            "as asked",
            None,
        )
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
        example = known[0] if known else texts[0]
        raise ValueError(f"column {name!r} holds no dates, such as {example!r}")
    seconds = written_dates.seconds_of(known, form)
    told = tuple(sorted({text.lower() for text in texts[absent]}))
    return replace(
        _date(
            name,
            seconds,
            f"as asked, {form}",
            form,
        ),
        missing=told,
    )


# --- numbers -------------------------------------------------------------------------------------


def _of_numbers(
    name: str,
    levels: Levels,
    numbers: np.ndarray,
    asking: Asking,
    reading: Reading,
) -> Reading:
    """A column of numbers: whether some are codes for missing, or all are names."""
    if levels.held == "number":
        every = np.ones(len(numbers), dtype=bool)
        dated = (
            _dated(
                name,
                levels.as_texts(),
                every,
            )
            if _long(numbers)
            else None
        )
        if dated is not None and dated.date == "digits":
            return dated
    found = code_like.of_numbers(
        name,
        numbers,
        levels.codes,
    )
    if found is not None and found.verdict == "rows":
        told = f"column {name!r}: {found.why}, left out; columns {name}=number uses it"
        return Reading(
            name,
            "left out",
            found.why,
            cautions=(told,),
        )
    if found is not None and found.verdict == "persons":
        return _persons(name, found.why)
    if found is not None and found.verdict == "codes":
        return _category(
            name,
            levels.as_texts(),
            asking,
            found.why,
        )
    cautions = list(reading.cautions)
    if found is not None:
        cautions.append(f"column {name!r}: {found.why}; if it names rows, leave it out (drop)")
    codes = missing.codes_among(numbers, levels.counts) if asking.na is None else ()
    if codes:
        told_codes = ", ".join(f"{code:g}" for code in codes)
        n_rows = int(levels.counts[np.isin(numbers, codes)].sum())
        cautions.append(
            f"column {name!r}: {told_codes} in {n_rows:,} row(s) is read as missing; "
            f"columns {name}=number reads it as a number"
        )
        written = {text.lower() for text in np.array(levels.texts)[np.isin(numbers, codes)]}
        reading = replace(reading, missing=tuple(sorted({*reading.missing, *written})))
    return replace(reading, cautions=tuple(cautions))


def _long(numbers: np.ndarray) -> bool:
    """Whether all have the eight digits of a date."""
    known = numbers[np.isfinite(numbers)]
    return len(known) > 2 and bool(((known >= 19_000_101) & (known < 21_000_000)).all())


def _persons(name: str, why: str) -> Reading:
    told = (
        f"column {name!r}: {why} look like persons or things that come again, left out; rows of "
        f"one may train and test: keep them together (group {name}), or use it (columns "
        f"{name}=category)"
    )
    return Reading(
        name,
        "left out",
        why,
        cautions=(told,),
    )


# --- categories ----------------------------------------------------------------------------------


def _category(
    name: str,
    levels: Levels,
    asking: Asking,
    why: str,
    *,
    asked: bool = False,
) -> Reading:
    words = asking.missing(missing.ALWAYS)
    texts = levels.texts
    absent = missing.mask_of(texts, words)
    known = [text for text, is_absent in zip(texts, absent, strict=True) if not is_absent]
    counts = levels.counts[~absent]
    told = tuple(sorted({text.lower() for text, gone in zip(texts, absent, strict=True) if gone}))
    if not known:
        return replace(_empty(name), missing=told)
    same = {} if asked else spellings(known, counts)
    cautions = []
    if same:
        variants = ", ".join(f"{text!r} as {same[text]!r}" for text in list(same)[:3])
        cautions.append(f"column {name!r}: spellings read as one: {variants}")
    found = (
        None
        if asked
        else code_like.of_texts(
            name,
            known,
            counts,
        )
    )
    if found is not None and found.verdict == "persons":
        return replace(_persons(name, found.why), n_values=len(known))
    if found is not None:
        note = f"column {name!r}: {found.why}, left out; columns {name}=category uses it"
        return Reading(
            name,
            "left out",
            found.why,
            n_values=len(known),
            cautions=(note,),
        )
    n_values = len(known) - len(same)
    if code_like.is_id_name(name) and n_values > code_like.MANY_TEXTS:
        cautions.append(
            f"column {name!r}: rows of one may train and test; group {name} keeps them together"
        )
    return Reading(
        name,
        "many" if n_values > MOST_ONE_HOT else "category",
        why,
        n_values=n_values,
        missing=told,
        same=same,
        cautions=tuple(cautions),
    )


def spellings(texts: Sequence[str], counts: np.ndarray) -> dict[str, str]:
    """Texts that differ from a more frequent one in capitals alone, and that one."""
    by_folded: defaultdict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        by_folded[text.casefold()].append(place)
    same = {}
    for places in by_folded.values():
        if len(places) > 1:
            chosen = max(places, key=lambda place: (counts[place], texts[place]))
            same.update({texts[place]: texts[chosen] for place in places if place != chosen})
    return same
