"""Numbers and names as the report writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

NONE = "–"


@dataclass(frozen=True)
class Scale:
    """How gains on one scale are written: so many decimals, or per cent."""

    digits: int = 3
    percent: bool = False

    @classmethod
    def fitting(cls, gains: pd.Series, *, percent: bool = False) -> Scale:
        """The scale that shows the largest of the gains with three significant digits."""
        if percent:
            return cls(1, percent=True)
        largest = float(gains.abs().max())
        return cls(min(6, max(3, 2 - math.floor(math.log10(largest)))) if largest > 0 else 3)

    def plain(self, value: float | None) -> str:
        """The number without a plus."""
        if value is None or not math.isfinite(value):
            return NONE
        # Adding 0.0 turns a negative zero into zero.
        rounded = round(100 * value if self.percent else value, self.digits) + 0.0
        return f"{rounded:.{self.digits}f}".replace("-", "−") + " %" * self.percent

    def signed(self, value: float | None) -> str:
        """The number with its sign."""
        text = self.plain(value)
        return f"+{text}" if re.search("[1-9]", text) and not text.startswith("−") else text

    def tick(self, value: float) -> str:
        """A gain as short as it can be, for an axis."""
        number = round(100 * value if self.percent else value, 9)
        return (f"{number:+g}".replace("-", "−") if number else "0") + " %" * self.percent

    def interval(self, low: float | None, high: float | None) -> str:
        """``[low, high]``, or nothing where there is no interval."""
        ends = [self.signed(low), self.signed(high)]
        return "" if NONE in ends else f"[{', '.join(ends)}]"

    def gain(self, row: pd.Series) -> str:
        """Gain and interval of one row of the summary."""
        return f"{self.signed(row['gain'])} {self.interval(row['ci_low'], row['ci_high'])}".strip()


def per_cent(fraction: float) -> str:
    """A fraction in per cent: ``10 %``."""
    return f"{100 * fraction:.4g} %"


def span(numbers: Iterable[int]) -> str:
    """Least and greatest: ``22 to 251``, or the one number that all are."""
    ordered = sorted(numbers)
    if not ordered:
        return NONE
    return f"{ordered[0]:,}" if ordered[0] == ordered[-1] else f"{ordered[0]:,} to {ordered[-1]:,}"


def short(name: str, most: int) -> str:
    """A name on one line, its middle cut out where it is too long for a figure."""
    name = " ".join(name.split())
    if len(name) <= most:
        return name
    half = (most - 1) // 2
    return f"{name[: most - 1 - half]}…{name[-half:]}"


def labels(names: Sequence[str], most: int = 22) -> list[str]:
    """Names for a figure: where some are too long, without the words that all begin and end with,
    and shortened.
    """
    words = [re.split(r"(?<=[\s./_-])", name.strip()) for name in names]
    if len(names) > 1 and max(map(len, names)) > most:
        for end in (0, -1):
            while min(map(len, words)) > 1 and len({own[end] for own in words}) == 1:
                for own in words:
                    own.pop(end)
    return [short("".join(own).rstrip("./_-"), most) for own in words]
