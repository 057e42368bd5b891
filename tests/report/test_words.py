"""How names and numbers are written."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from softshare.report.words import Scale, labels, short, span


@pytest.mark.parametrize(
    ("value", "digits", "percent", "text"),
    [
        (0.0123, 3, False, "+0.012"),
        (-0.0004, 3, False, "0.000"),
        (-0.5, 2, False, "−0.50"),
        (0.1234, 1, True, "+12.3 %"),
        (math.nan, 3, False, "–"),
    ],
)
def test_gains_carry_their_sign(value, digits, percent, text):
    assert Scale(digits, percent).signed(value) == text


def test_the_scale_shows_the_largest_gain_with_three_digits():
    assert Scale.fitting(pd.Series([0.2, -0.0004, np.nan])).digits == 3
    assert Scale.fitting(pd.Series([0.00123])).signed(0.00123) == "+0.00123"
    assert Scale.fitting(pd.Series([np.nan])).digits == 3
    assert Scale.fitting(pd.Series([0.0])).digits == 3


def test_long_names_lose_what_they_share_and_keep_what_tells_them_apart():
    assert labels([f"shop number {n} of the north-east" for n in (1, 2, 30)]) == ["1", "2", "30"]
    assert labels(
        ["encoder.layers.0.attention.projection", "encoder.layers.1.attention.projection"]
    ) == ["0", "1"]
    assert labels(["a b", "a c"]) == ["a b", "a c"]
    assert labels(["same " * 9, "same " * 9]) == ["same", "same"]
    assert len(labels(["x" * 99])[0]) == 22


def test_a_name_is_cut_in_its_middle():
    assert short("abcdefghij", 7) == "abc…hij"
    assert short(" two\nlines ", 20) == "two lines"


def test_a_span_goes_from_the_least_to_the_greatest():
    assert (span([251, 22]), span([5, 5]), span([])) == ("22 to 251", "5", "–")
