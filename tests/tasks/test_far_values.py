"""A few numbers far from all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softshare.tasks.far_values import far_values, told_far

OTHERS = np.arange(101.0, 141.0)


def far_of(*values: float) -> tuple[float, ...]:
    return far_values(*np.unique([*OTHERS, *values], return_counts=True))


@pytest.mark.parametrize(
    ("values", "far"),
    [
        ((), ()),
        ((2177.0,), (2177.0,)),
        ((2177.0, 1576.0), (1576.0, 2177.0)),
        ((-1e4, 2177.0), (-1e4,)),
        ((2177.0, 2177.0), (2177.0,)),
        ((2177.0,) * 4, ()),  # four rows are no slip
        ((240.0,), ()),  # within three times the others' range
        ((1.7e308,), (1.7e308,)),
        ((np.nan, np.inf, 2177.0), (2177.0,)),
    ],
)
def test_few_values_three_ranges_away(values: tuple[float, ...], far: tuple[float, ...]) -> None:
    assert far_of(*values) == far


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_units_do_not_matter(scale: float, shift: float) -> None:
    values, counts = np.unique([*OTHERS, 90.0, 2177.0], return_counts=True)
    assert far_values(scale * values + shift, counts) == pytest.approx((scale * 2177.0 + shift,))


def test_a_long_tail_is_no_slip() -> None:
    found = []
    for seed in range(100):
        drawn = np.exp(2 * np.random.default_rng(seed).normal(size=300))
        found.append(far_values(drawn, np.ones(300, dtype=np.int64)))
    assert sum(map(bool, found)) <= 1


def test_few_rows_say_nothing() -> None:
    values, counts = np.unique([*OTHERS[:29], 2177.0], return_counts=True)
    assert far_values(values, counts) == ()


def test_a_line_names_them_and_the_others() -> None:
    values, counts = np.unique([*OTHERS, 2177.5], return_counts=True)
    (line,) = told_far("column 'wage'", values, counts)
    assert line.startswith("column 'wage': 2177.5 far from all other numbers (101 to 140)")
