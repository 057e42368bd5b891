"""A few numbers far from all others of a column: slips of the pen, perhaps, or other units."""

from __future__ import annotations

import numpy as np

FAR = 3.0
"""They lie so many times the range of all other numbers away from these."""

MOST_ROWS = 3
LEAST_OTHERS = 30
"""Rows: of the far numbers at the most, and of the others at the least."""


def far_values(values: np.ndarray, counts: np.ndarray) -> tuple[float, ...]:
    """The numbers of a column that lie far above all others, or far below; mostly none.

    Args:
        values: different numbers, NaN where one is none, ``(L,)``.
        counts: the rows of each, ``(L,)``.
    """
    known = np.isfinite(values)
    rising = np.argsort(values[known])
    numbers = values[known][rising]
    n_rows = counts[known][rising]
    n_above = _n_far_above(numbers, n_rows)
    n_below = _n_far_above(-numbers[::-1], n_rows[::-1])
    below = numbers[:n_below]
    above = numbers[len(numbers) - n_above :]
    return (*below.tolist(), *above.tolist())


def _n_far_above(numbers: np.ndarray, n_rows: np.ndarray) -> int:
    """How many of these rising numbers, the last ones, are far above those before."""
    for n_far in range(1, MOST_ROWS + 1):
        others = numbers[:-n_far]
        if len(others) < 3:
            break
        if n_rows[-n_far:].sum() > MOST_ROWS:
            break
        if n_rows[:-n_far].sum() < LEAST_OTHERS:
            break
        if _is_far(numbers[-n_far], others):
            return n_far
    return 0


def _is_far(number: float, others: np.ndarray) -> bool:
    """Whether a number is far above rising ones, and of positive ones far in logarithms too, in
    which long tails are short.
    """
    least = others[0]
    most = others[-1]
    with np.errstate(over="ignore"):  # what is far may be as large as a number can be
        is_beyond = number - most > FAR * (most - least)
    if not is_beyond or least <= 0:
        return bool(is_beyond)
    logarithms = np.log(others)
    low, high = np.quantile(logarithms, (0.25, 0.75))
    gap = np.log(number) - logarithms[-1]
    return bool(gap > FAR * (high - low))


def told_far(what: str, values: np.ndarray, counts: np.ndarray) -> list[str]:
    """A line that says which they are, or none.

    Args:
        what: the column, as notes call it.
        values: its different numbers, ``(L,)``.
        counts: the rows of each, ``(L,)``.
    """
    far = far_values(values, counts)
    if not far:
        return []
    is_other = np.isfinite(values) & ~np.isin(values, far)
    others = values[is_other]
    span = f"{others.min():.10g} to {others.max():.10g}"
    named = ", ".join(f"{value:.10g}" for value in far)
    remedy = "if it is a slip or a row of totals, mend it"
    return [f"{what}: {named} far from all other numbers ({span}); {remedy}"]
