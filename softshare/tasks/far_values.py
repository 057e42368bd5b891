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
        values: different numbers, NaN where one is none.
        counts: the rows of each.
    """
    known = np.isfinite(values)
    rising = np.argsort(values[known])
    numbers = values[known][rising]
    n_rows = counts[known][rising]
    above = _far_above(numbers, n_rows)
    below = _far_above(-numbers[::-1], n_rows[::-1])
    return (*(-value for value in reversed(below)), *above)


def _far_above(numbers: np.ndarray, n_rows: np.ndarray) -> tuple[float, ...]:
    """The last of these rising numbers, where they are far above those before."""
    for n_far in range(1, MOST_ROWS + 1):
        others = numbers[:-n_far]
        of_far = n_rows[-n_far:].sum()
        of_others = n_rows[:-n_far].sum()
        if len(others) < 3 or of_far > MOST_ROWS or of_others < LEAST_OTHERS:
            break
        if _is_far(numbers[-n_far], others):
            return tuple(map(float, numbers[-n_far:]))
    return ()


def _is_far(number: float, others: np.ndarray) -> bool:
    """Whether a number is far above rising ones, and of positive ones far in logarithms too, in
    which long tails are short.
    """
    # divided by FAR twice, since what is far may be as large as a number can be
    least, most = others[0] / FAR, others[-1] / FAR
    if number / FAR**2 - most / FAR <= most - least:
        return False
    if least <= 0:
        return True
    low, high = np.quantile(np.log(others), (0.25, 0.75))
    return bool(np.log(number) - np.log(others[-1]) > FAR * (high - low))


def told_far(what: str, values: np.ndarray, counts: np.ndarray) -> list[str]:
    """A line that says which they are, or none.

    Args:
        what: the column, as notes call it.
        values: its different numbers.
        counts: the rows of each.
    """
    far = far_values(values, counts)
    if not far:
        return []
    others = values[np.isfinite(values) & ~np.isin(values, far)]
    span = f"{others.min():.10g} to {others.max():.10g}"
    far_ones = ", ".join(f"{value:.10g}" for value in far)
    remedy = "if it is a slip or a row of totals, mend it"
    return [f"{what}: {far_ones} far from all other numbers ({span}); {remedy}"]
