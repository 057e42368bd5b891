"""Texts and numbers that stand where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ALWAYS = "? na n/a nan null <na> nat #n/a #n/a! #na #nv #null! #div/0! #value! #ref! #num! #name?"
ALWAYS = frozenset(_ALWAYS.split())
"""What no column holds as a value, in lower case."""

_AMONG_NUMBERS = (
    "none|unknown|unk|missing|undefined|not available|not applicable|not known|not recorded"
    "|not measured|no data|n.a.|n.a|n.d.|nd|k.a.|k. a.|keine angabe|unbekannt|inconnu|nil"
    "|empty|blank|refused|tbd|-|--|---|–|—|.|..|...|*|/|\\|_|?|??|n.k.|ns|nr"
)
AMONG_NUMBERS = ALWAYS | frozenset(_AMONG_NUMBERS.split("|"))
"""What stands for a missing value among numbers or dates, where words cannot be values."""

CODES = tuple(
    sign * value
    for value in (999_999.0, 99_999.0, 9_999.0, 999.9, 999.0, 99.0, 9.0)
    for sign in (-1.0, 1.0)
)
LEAST_ABOVE = 99.0
FAR = 2.0
"""Codes for missing lie so many times the range of all other values away from these."""


def codes_among(values: np.ndarray, counts: np.ndarray) -> tuple[float, ...]:
    """Numbers that must be codes for missing: nines, far from all else, and in several rows.

    Args:
        values: different numbers.
        counts: the rows of each.
    """
    found: list[float] = []
    known = np.isfinite(values)
    for code in CODES:
        here = known & (values == code)
        others = values[known & ~np.isin(values, [*found, code])]
        if not here.any() or len(others) < 3 or counts[here].sum() < 2:
            continue
        low, high = float(others.min()), float(others.max())
        distance = low - code if code < 0 else code - high
        is_far = distance > FAR * (high - low)
        if (code < 0 and (low >= 0 or is_far)) or (code >= LEAST_ABOVE and is_far):
            found.append(code)
    return tuple(found)


def mask_of(texts: Sequence[str] | np.ndarray, words: frozenset[str]) -> np.ndarray:
    """Which of these texts are among words in lower case, ``(len(texts),)``."""
    return np.array([text.lower() in words for text in texts], dtype=bool)
