"""Counts, times and lists as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """``1 task``, ``2,000 tasks``."""
    plural = "" if number == 1 else "s"
    return f"{number:,} {noun}{plural}"


def duration(seconds: float) -> str:
    """A time that a person can read."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """Names in a sentence: ``a, b and c``, or ``a, b and 7 more``."""
    shown = list(names[:most])
    hidden = len(names) - most
    if hidden > 0:
        shown.append(f"{hidden:,} more")
    *first, last = shown
    if not first:
        return last
    return f"{', '.join(first)} and {last}"
