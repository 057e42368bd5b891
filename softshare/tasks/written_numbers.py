"""Numbers as people write them: with separators, currencies, units, limits; and how a column of
them is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

PLAIN = frozenset("0123456789+-.eE")
"""A column of these characters alone needs no more than ``float``."""

SURELY_WHOLE = 15
"""Digits that double precision holds whatever they are; longer whole numbers are codes."""

_CURRENCIES = (
    "€ $ £ ¥ ₹ ₽ ₩ ₺ R$ EUR USD GBP CHF JPY CNY INR SEK NOK DKK PLN CZK CAD AUD BRL Fr. kr Rs. Rs"
)
CURRENCIES = tuple(_CURRENCIES.split())
SIGNS = frozenset(sign.lower() for sign in CURRENCIES)
"""Currencies in lower case, as :attr:`Written.unit` has them."""

_UNITS = (
    "% ‰ ppm °c °f ° c f k kg g mg µg μg ug ng t lb lbs oz km m cm mm µm nm mi ft in m² m2 "
    "km² m³ m3 l ml dl µl cl h hr hrs hour hours min mins minute minutes s sec secs ms d day "
    "days w week weeks mo month months y yr yrs year years mmhg mg/dl g/dl g/l mg/l mmol/l "
    "µmol/l umol/l iu/l u/l bpm kwh kw mw w v a hz khz mhz ghz km/h mph m/s kcal cal kj j kb "
    "mb gb tb px pt pts pc pcs x"
)
UNITS = frozenset(_UNITS.split())
"""What may stand behind a number without a blank between them."""

KNOWN = SIGNS | UNITS | {""}
"""What may be with a number, in lower case; mostly nothing."""

_BLANKS = re.compile("[\\s\u00a0\u2007\u2009\u202f]+")
_CURRENCY = "|".join(
    re.escape(sign)
    for sign in sorted(
        CURRENCIES,
        key=len,
        reverse=True,
    )
)
_WRITTEN = re.compile(
    rf"""
    (?P<limit>[<>≤≥~≈]=?\ ?)?
    (?P<minus>[-+]|\(|-\()?\ ?
    (?P<before>{_CURRENCY})?\ ?
    (?P<inner>[-+])?
    (?P<body>\d[\d.,'’\ ]*|[.,]\d+)
    (?P<exponent>[eE][-+]?\d+)?
    (?P<gap>\ ?)
    (?P<after>[^\d\s.,()<>+-][^\d\s()]{{0,11}}[²³23]?)?
    (?P<closed>\))?
    """,
    re.VERBOSE,
)
_LEADING_ZERO = re.compile(r"[-+]?0\d+")
_CODE_WITH_E = re.compile(r"\d+[eE]\d+")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?P<mark>[.,'’ ])\d{3})(?:(?P=mark)\d{3})*")


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are written.

    Args:
        decimal: what stands before the fraction.
        thousands: what stands between groups of digits; empty where nothing does.
        unit: what stands before or behind every number, in lower case; it is cut off.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    def numbers(self, texts: Sequence[str]) -> np.ndarray:
        """The numbers that these texts say, NaN where one is no number of this form.

        Shape:
            ``(len(texts),)``.
        """
        if self == NumberForm() and PLAIN.issuperset("".join(texts)):
            plain = _plain(texts)
            if plain is not None:
                return plain
        return np.array([self._number(text) for text in texts], dtype=np.float64)

    def _number(self, text: str) -> float:
        found = Written.of(text)
        if found is None or (found.unit and found.unit != self.unit):
            return np.nan
        if not found.unit and not _may_lack(self.unit, found):
            return np.nan
        whole, mark, fraction = found.body.partition(self.decimal)
        if mark and not fraction.isdigit() and fraction:
            return np.nan
        if self.thousands and self.thousands in whole:
            if not _are_groups(whole.split(self.thousands)):
                return np.nan
            whole = whole.replace(self.thousands, "")
        if whole and not whole.isdigit():
            return np.nan
        return float(f"{found.sign}{whole or '0'}.{fraction or '0'}{found.exponent}")


@dataclass(frozen=True)
class Written:
    """One number as it is written, taken apart.

    Args:
        sign: ``-`` or nothing.
        body: its digits, and what stands among them.
        exponent: ``e5``, or nothing.
        unit: in lower case.
        gap: whether a blank stands before the unit.
        limit: whether it is said to lie below or above (``<5``).
    """

    sign: str
    body: str
    exponent: str
    unit: str
    gap: bool
    limit: bool

    @classmethod
    @lru_cache(maxsize=1 << 14)  # every column is gone through some times
    def of(cls, text: str) -> Written | None:
        """The parts of a text, or None where it is no number."""
        plain = _BLANKS.sub(" ", text).strip().replace("−", "-").removeprefix("'")
        found = _WRITTEN.fullmatch(plain)
        if found is None:
            return None
        is_in_brackets = "(" in (found["minus"] or "")
        if is_in_brackets != bool(found["closed"]):
            return None
        signs = (found["minus"] or "") + (found["inner"] or "")
        if len(signs) > 1:
            return None
        units = [unit for unit in (found["before"], found["after"]) if unit]
        if len(units) > 1:
            return None
        body = found["body"].strip().replace("’", "'")
        has_blank = found["body"].endswith(" ") or bool(found["gap"])
        return cls(
            sign="-" if signs in ("-", "(") else "",
            body=body,
            exponent=found["exponent"] or "",
            unit=units[0].lower() if units else "",
            gap=has_blank or bool(found["before"]),
            limit=bool(found["limit"]),
        )


class UnclearNumbersError(ValueError):
    """A column holds numbers, and they may be read in two ways; the message says how to tell."""


def is_code(text: str) -> bool:
    """Whether a text of digits is a name: ``007``, or a number too long to be held as one."""
    digits = text.strip()
    if _LEADING_ZERO.fullmatch(digits):
        return True
    return len(digits) > SURELY_WHOLE and digits.lstrip("+-").isdigit()


def is_code_with_exponent(text: str) -> bool:
    """Whether a text may be a code that looks like a number with an exponent: ``1E5``."""
    return _CODE_WITH_E.fullmatch(text.strip()) is not None


def form_of(
    texts: Sequence[str],
    *,
    decimal: str | None = None,
    usual: str | None = None,
) -> NumberForm | None:
    """How these numbers are written, or None where there is no one way.

    Args:
        texts: different ones, each of which :meth:`Written.of` understands.
        decimal: what stands before fractions, where that was said.
        usual: what stands before fractions elsewhere in the table, where that is clear.

    Raises:
        UnclearNumbersError: with one mark among the digits, which may be either.
    """
    if PLAIN.issuperset("".join(texts)) and not any("." in text for text in texts):
        return NumberForm()
    written = [found for found in map(Written.of, texts) if found is not None]
    unit = _unit_of(written)
    if unit is None:
        return None
    marks = _marks_of(
        {found.body for found in written},
        decimal or _before_exponents(written),
        usual,
    )
    return None if marks is None else NumberForm(*marks, unit=unit)


def _before_exponents(written: Sequence[Written]) -> str | None:
    """What stands before fractions where numbers have exponents: these have no thousands."""
    bodies = [found.body for found in written if found.exponent]
    marks = {mark for body in bodies for mark in ".," if mark in body}
    return marks.pop() if len(marks) == 1 else None


def _plain(texts: Sequence[str]) -> np.ndarray | None:
    try:
        # exact to the last bit, as Python reads them
        return np.array(texts, dtype=object).astype(np.float64)
    except ValueError:
        return None


def _unit_of(written: Sequence[Written]) -> str | None:
    """What is cut off of all; None where it differs, or may be a part of a name."""
    counted = Counter(found.unit for found in written if found.unit)
    if not counted:
        return ""
    if len(counted) > 1:
        return None
    (unit,) = counted
    if unit in SIGNS:
        return unit
    if not all(found.unit or _may_lack(unit, found) for found in written):
        return None  # 900 beside 1.2k
    # "12 parts" is told apart from "12b" by its blank
    has_gap = all(found.gap for found in written if found.unit)
    return unit if unit in UNITS or has_gap else None


def _may_lack(unit: str, found: Written) -> bool:
    """Whether a number without a unit is as many of it: the currency goes without saying, and none
    is none in any unit.
    """
    return unit in SIGNS or not unit or not found.body.strip("0.,")


def _marks_of(
    bodies: Iterable[str],
    decimal: str | None,
    usual: str | None,
) -> tuple[str, str] | None:
    """What stands before fractions and between groups of digits."""
    marked = [body for body in bodies if not body.isdigit()]
    unmarked = [int(body) for body in bodies if body.isdigit()]
    marks = {mark for body in marked for mark in ".,' " if mark in body}
    groups = marks & {"'", " "}
    points = marks & {".", ","}
    if len(groups) > 1 or (groups and len(points) > 1):
        return None
    if groups:
        return next(iter(points), "."), next(iter(groups))
    if len(points) == 2:
        return _of_two_marks(marked)
    if not points:
        return ".", ""
    (mark,) = points
    return _of_one_mark(
        mark,
        marked,
        unmarked,
        decimal=decimal,
        usual=usual,
    )


def _of_two_marks(marked: Sequence[str]) -> tuple[str, str] | None:
    """Where points and commas both stand: what comes last in a number is before its fraction."""
    last = set()
    for body in marked:
        if _has_both(body):
            last.add(body[max(body.rfind("."), body.rfind(","))])
    if len(last) != 1:
        return None  # 1.5 beside 1,5, or 1,234.5 beside 1.234,5
    (decimal,) = last
    return decimal, "," if decimal == "." else "."


def _has_both(body: str) -> bool:
    return "." in body and "," in body


def _of_one_mark(
    mark: str,
    marked: Sequence[str],
    unmarked: Sequence[int],
    *,
    decimal: str | None,
    usual: str | None,
) -> tuple[str, str]:
    """Where points alone, or commas alone, stand among the digits.

    ==================  ====================================================
    1.5, 0.250, 12.     before a fraction: no groups of three digits
    1.234.567           between thousands: it stands there twice
    1.020 beside 870    thousands: what is below 1000 has none, no more is without
    1.234, 2.345        either
    ==================  ====================================================
    """
    other = "," if mark == "." else "."
    before_fraction, between_thousands = (mark, ""), (other, mark)
    if any(body.count(mark) > 1 for body in marked):
        return between_thousands
    may_be_groups = all(_GROUPED.fullmatch(body) for body in marked)
    if not may_be_groups or decimal == mark or max(unmarked, default=0) >= 1000:
        return before_fraction
    if decimal == other:
        return between_thousands
    like_groups = any(number >= 100 for number in unmarked) or _end_in_zero(marked)
    if usual is None:
        if mark == "." and not like_groups:
            return before_fraction  # as points are nearly everywhere
        if like_groups:
            return between_thousands
    elif usual == other:
        return between_thousands
    elif not like_groups:
        return before_fraction
    raise UnclearNumbersError(
        f"numbers such as {marked[0]!r} may have a fraction, or thousands marked by {mark!r}"
    )


def _end_in_zero(bodies: Sequence[str]) -> bool:
    """Whether most of these end in 00, as round thousands do and fractions do not."""
    return sum(body.endswith("00") for body in bodies) > len(bodies) / 2


def _are_groups(parts: Sequence[str]) -> bool:
    """Whether digits stand in groups as between thousands: 1 234 567, or 12 34 567 in India."""
    first, *inner = parts
    if not 1 <= len(first) <= 3 or not first.isdigit():
        return False
    sizes = [len(part) for part in inner]
    fits = sizes[-1] == 3 and set(sizes) <= {2, 3}
    return fits and all(part.isdigit() for part in inner)
