"""Dates and times as people write them, as seconds since 1970 or since midnight."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import numpy as np

DateForm = Literal["year-first", "day-first", "month-first", "digits", "month", "time"]
"""How dates are written: 2021-03-04, 4.3.2021, 3/4/2021, 20210304, 2021-03; 14:30."""

_NOON = r"(?:\s?(?P<noon>[AaPp]\.?[Mm]\.?))?"
_CLOCK = rf"(?P<H>\d{{1,2}}):(?P<M>\d{{2}})(?::(?P<S>\d{{2}})(?P<f>[.,]\d+)?)?{_NOON}"
_ZONE = r"\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
_AT = rf"(?:(?:T|,?\s+){_CLOCK}{_ZONE})?"
_WORDS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH_WORD = rf"(?P<word>{'|'.join(_WORDS)})[a-z]*\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"

_NUMBERED = re.compile(
    rf"{_WEEKDAY}(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})\2(?P<y>\d{{4}}|\d{{2}}){_AT}", re.I
)
_YEAR_FIRST = re.compile(
    rf"{_WEEKDAY}(?P<y>\d{{4}})([-/.])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}}){_AT}", re.I
)
_DIGITS = re.compile(
    r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:T?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?)?"
)
_MONTH = re.compile(r"(?P<y>(?:19|20)\d{2})[-/](?P<m>\d{1,2})")
_TIME = re.compile(_CLOCK)
_NAMED = (
    re.compile(rf"{_WEEKDAY}{_DAY}[-\s.]+{_MONTH_WORD}[-\s,]+(?P<y>\d{{4}}|\d{{2}}){_AT}", re.I),
    re.compile(rf"{_WEEKDAY}{_MONTH_WORD}\s+{_DAY},?\s+(?P<y>\d{{4}}){_AT}", re.I),
)

_PATTERNS: Mapping[DateForm, tuple[re.Pattern[str], ...]] = {
    "year-first": (_YEAR_FIRST, *_NAMED),
    "digits": (_DIGITS,),
    "month": (_MONTH,),
    "time": (_TIME,),
    "day-first": (_NUMBERED,),
    "month-first": (_NUMBERED,),
}

_EPOCH = datetime(
    1970,
    1,
    1,
    tzinfo=UTC,
)


class UnclearDatesError(ValueError):
    """Dates of which it cannot be told what is the day and what the month."""


def seconds_of(
    texts: Sequence[str],
    form: DateForm,
) -> np.ndarray:
    """Seconds since 1970 in UTC, since midnight of times; NaN where a text is no date of this form.

    Shape:
        ``(len(texts),)``.
    """
    return np.array([_seconds(text.strip(), form) for text in texts], dtype=np.float64)


def form_of(
    texts: Sequence[str],
    *,
    wanted: DateForm | None = None,
) -> DateForm | None:
    """The form of nine in ten or more of these texts, or None.

    Raises:
        UnclearDatesError: they are of the form 3/4/2021, and every part may be the month.
    """
    if not texts:
        return None
    forms = list(_PATTERNS) if wanted is None else [wanted]
    # most columns are told by a few of their texts
    few = texts[:: max(1, len(texts) // 20)]
    shares: dict[DateForm, float] = {}
    for form in forms:
        if _share(few, form) >= 0.5:
            shares[form] = _share(texts, form)
    fitting = [form for form, share in shares.items() if share >= 0.9]
    if {"day-first", "month-first"} <= set(fitting):
        return _day_or_month_first(texts, shares)
    return fitting[0] if fitting else None


def _share(texts: Sequence[str], form: DateForm) -> float:
    return float(np.isfinite(seconds_of(texts, form)).mean())


def _day_or_month_first(texts: Sequence[str], shares: Mapping[DateForm, float]) -> DateForm:
    if shares["day-first"] != shares["month-first"]:
        return max(("day-first", "month-first"), key=lambda form: shares[form])
    found = [match for match in map(_NUMBERED.fullmatch, map(str.strip, texts)) if match]
    first = {int(match["a"]) for match in found}
    second = {int(match["b"]) for match in found}
    if first == second == {1}:
        return "day-first"  # both say the same
    if first == {1}:
        return "day-first"  # the first of every month
    if second == {1}:
        return "month-first"
    if all("." in match[0] for match in found):
        return "day-first"  # nobody puts points behind the month first
    raise UnclearDatesError(f"dates such as {texts[0]!r} may have the day or the month first")


def _seconds(text: str, form: DateForm) -> float:
    for pattern in _PATTERNS[form]:
        found = pattern.fullmatch(text)
        if found is not None:
            break
    else:
        return np.nan
    parts = found.groupdict()
    try:
        if form == "time":
            return _clock(parts).total_seconds()
        return _date_of(parts, form)
    except (ValueError, OverflowError):
        return np.nan  # the 31st of February


def _date_of(parts: Mapping[str, str | None], form: DateForm) -> float:
    day, month = parts.get("d"), parts.get("m")
    if form == "day-first":
        day, month = parts["a"], parts["b"]
    elif form == "month-first":
        day, month = parts["b"], parts["a"]
    word = parts.get("word")
    number = _WORDS.index(word.lower()) + 1 if word else int(month or 0)
    date = datetime(
        _year(parts["y"] or ""),
        number,
        int(day or 1),
        tzinfo=_zone(parts.get("zone")),
    )
    moment = date + _clock(parts)
    return (moment - _EPOCH).total_seconds()


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        if not year >= 1000:
            raise ValueError(text)
        return year
    return year + (1900 if year >= 70 else 2000)  # as POSIX has it, nearly


def _clock(parts: Mapping[str, str | None]) -> timedelta:
    if not parts.get("H"):
        return timedelta()
    hour, minute, second = (int(parts[name] or 0) for name in ("H", "M", "S"))
    noon = parts.get("noon")
    if noon:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (noon[0].lower() == "p")
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("no time of day")
    fraction = float((parts.get("f") or "0").replace(",", "."))
    return timedelta(
        hours=hour,
        minutes=minute,
        seconds=second + fraction,
    )


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
