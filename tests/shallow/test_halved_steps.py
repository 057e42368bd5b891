"""How far to go of a step."""

from __future__ import annotations

from softshare.shallow.halved_steps import part_that_lowers


def test_a_step_is_halved_until_it_does_not_raise_the_value() -> None:
    """Of the square of 1: a step of -9 leads to -8, and an eighth of it to -1/8."""
    assert part_that_lowers(lambda part: (1 - part) ** 2, 1.0) == (1.0, 0.0)
    assert part_that_lowers(lambda part: (1 - 4 * part) ** 2, 1.0) == (0.5, 1.0)
    assert part_that_lowers(lambda part: (1 - 9 * part) ** 2, 1.0) == (0.125, 0.015625)


def test_where_no_part_lowers_the_value_nothing_is_taken() -> None:
    assert part_that_lowers(lambda part: 1.0 + part, 1.0) == (0.0, 1.0)
    assert part_that_lowers(lambda part: float("nan"), 1.0) == (0.0, 1.0)
