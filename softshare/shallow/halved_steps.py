"""How far to go of a step of Newton's method: less than all of it where that leads upwards."""

from __future__ import annotations

from collections.abc import Callable

MOST_HALVINGS = 40

CERTAIN = 15.0
"""Log-odds beyond which it does not matter how far: what nothing holds runs on there."""


def part_that_lowers(value_after: Callable[[float], float], value: float) -> tuple[float, float]:
    """The largest of 1, ½, ¼, … of a step that does not raise a convex function.

    Far from a minimum the logistic loss is flat, and a whole step can be so long that the next is
    longer still, in the other direction.

    Args:
        value_after: Of the function after such a part of the step.
        value: Before it.

    Returns:
        The part and the value after it; 0 and the value before, where only rounding is left.
    """
    part = 1.0
    for _ in range(MOST_HALVINGS):
        lower = value_after(part)
        if lower <= value:
            return part, lower
        part /= 2
    return 0.0, value
