"""Dates and times as numbers that mean something: how long ago, and where in year, week and day.

What comes round again stands on a circle, as its sine and cosine: December lies beside January. A
missing date is in the middle of every circle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DAY = 86_400.0
WEEK = 7 * DAY
YEAR = 365.2425 * DAY
MONDAY = 4 * DAY
"""Seconds; 1970 began on a Thursday, the first Monday came four days later."""

ELAPSED = "days"
_PERIODS = {"of the year": YEAR, "of the week": WEEK, "of the day": DAY}
_SEASON = 45 * DAY
"""Dates that lie no further apart say nothing of the time of year."""


def parts_of(seconds: np.ndarray, *, of_day: bool = False) -> tuple[str, ...]:
    """What can be told of these moments: the days that went by, and every circle they move on.

    Args:
        seconds: different ones, since 1970, or since midnight.
        of_day: they are times without a date.
    """
    known = seconds[np.isfinite(seconds)]
    if not len(known):
        return (ELAPSED,)
    circles = []
    if not of_day and np.ptp(known) > _SEASON:
        circles.append("of the year")
    if not of_day and _has_weekdays(known):
        circles.append("of the week")
    if of_day or (known % DAY).any():
        circles.append("of the day")
    parts = [ELAPSED]
    for circle in circles:
        parts += [f"{circle}, sine", f"{circle}, cosine"]
    return tuple(parts)


def _has_weekdays(seconds: np.ndarray) -> bool:
    """Whether the day of the week may matter: not where all are the first of a month."""
    days = np.unique(np.floor(seconds / DAY))
    dates = days.astype("datetime64[D]")
    in_month = dates - dates.astype("datetime64[M]")
    return len(np.unique(days % 7)) > 1 and len(np.unique(in_month)) > 1


def features(
    seconds: np.ndarray,
    parts: Sequence[str],
) -> np.ndarray:
    """These parts of moments, NaN for the days of a missing one.

    Shape:
        seconds ``(N,)`` → ``(N, len(parts))``.
    """
    columns = np.empty((len(seconds), len(parts)))
    for place, part in enumerate(parts):
        if part == ELAPSED:
            columns[:, place] = seconds / DAY
            continue
        circle, _, function = part.partition(", ")
        angle = 2 * np.pi * (seconds - MONDAY) / _PERIODS[circle]
        curve = np.sin(angle) if function == "sine" else np.cos(angle)
        columns[:, place] = np.nan_to_num(curve)
    return columns
