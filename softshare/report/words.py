"""Numbers and names as the report writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from softshare.tasks.printable import printable

NONE = "–"


@dataclass(frozen=True)
class Scale:
    """How gains on one scale are written: so many decimals, or per cent."""

    digits: int = 3
    percent: bool = False

    @classmethod
    def fitting(
        cls,
        gains: pd.Series,
        *,
        percent: bool = False,
    ) -> Scale:
        """The scale that shows the largest of the gains with three significant digits."""
        if percent:
            return cls(1, percent=True)
        largest = float(gains.abs().max())
        if not largest > 0:  # there is none, or all are 0
            return cls()
        # the place of the first digit before the point: -2 for 0.03
        place = math.floor(math.log10(largest))
        digits = max(3, 2 - place)
        return cls(min(6, digits))

    def plain(self, value: float | None) -> str:
        """The number without a plus."""
        if value is None or not math.isfinite(value):
            return NONE
        # Adding 0.0 turns a negative zero into zero.
        rounded = round(self._in_unit(value), self.digits) + 0.0
        text = f"{rounded:.{self.digits}f}"
        return self._with_unit(text)

    def signed(self, value: float | None) -> str:
        """The number with its sign."""
        text = self.plain(value)
        is_zero = not re.search("[1-9]", text)  # or no number
        if is_zero or text.startswith("−"):
            return text
        return f"+{text}"

    def tick(self, value: float) -> str:
        """A gain as short as it can be, for an axis."""
        number = round(self._in_unit(value), 9)
        text = f"{number:+g}" if number else "0"
        return self._with_unit(text)

    def interval(
        self,
        low: float | None,
        high: float | None,
    ) -> str:
        """``[low, high]``, or nothing where there is no interval."""
        ends = [self.signed(low), self.signed(high)]
        if NONE in ends:
            return ""
        return f"[{', '.join(ends)}]"

    def gain(self, row: pd.Series) -> str:
        """Gain and interval of one row of the summary."""
        gain = self.signed(row["gain"])
        interval = self.interval(row["ci_low"], row["ci_high"])
        return f"{gain} {interval}".strip()

    def _in_unit(self, value: float) -> float:
        return 100 * value if self.percent else value

    def _with_unit(self, text: str) -> str:
        unit = " %" if self.percent else ""
        return text.replace("-", "−") + unit


def per_cent(fraction: float) -> str:
    """A fraction in per cent: ``10 %``."""
    return f"{100 * fraction:.4g} %"


def span(numbers: Iterable[int]) -> str:
    """Least and greatest: ``22 to 251``, or the one number that all are."""
    known = set(numbers)
    if not known:
        return NONE
    least = min(known)
    greatest = max(known)
    if least == greatest:
        return f"{least:,}"
    return f"{least:,} to {greatest:,}"


def short(name: str, most: int) -> str:
    """A name on one line, its middle cut out where it is too long for a figure."""
    name = " ".join(printable(name).split())
    if len(name) <= most:
        return name
    # one character is the mark of what is missing
    n_last = (most - 1) // 2
    n_first = most - 1 - n_last
    first = name[:n_first]
    last = name[-n_last:]
    return f"{first}…{last}"


def labels(names: Sequence[str], most: int = 22) -> list[str]:
    """Names for a figure: where some are too long, without the words that all begin and end with,
    and shortened.
    """
    words = [re.split(r"(?<=[\s./_-])", name.strip()) for name in names]
    longest = max(map(len, names), default=0)
    if len(names) > 1 and longest > most:
        for end in (0, -1):
            _strip_common(words, end)
    texts = []
    for own in words:
        text = "".join(own).rstrip("./_-")
        texts.append(short(text, most))
    return texts


def _strip_common(words: list[list[str]], end: int) -> None:
    """Take the words away that all names have at one end, but the last word of none."""
    while min(map(len, words)) > 1:
        at_end = {own[end] for own in words}
        if len(at_end) > 1:
            return
        for own in words:
            own.pop(end)
