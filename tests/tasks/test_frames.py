"""Columns of a frame are numbers or texts; what can be neither is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softshare.tasks import frames


def test_numbers_and_booleans_are_numeric_texts_are_not():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": ["x", "y"]})
    assert [frames.is_numeric(frame[name]) for name in "abc"] == [True, True, False]


def test_a_missing_number_is_nan_and_a_missing_text_none():
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", None]})
    np.testing.assert_array_equal(frames.numbers_of(frame, ["a"]), [[1.5], [np.nan]])
    assert frames.texts_of(frame["b"]).tolist() == ["x", None]


@pytest.mark.parametrize(("values", "phrase"), [
    (pd.to_datetime(["2020-01-01", "2020-01-02"]), "column 'when' holds dates or times"),
    ([1.0, np.inf], "when"),
    ([1.0, 1e19], "when"),
])  # fmt: skip
def test_a_column_that_cannot_be_an_input_is_named(values, phrase):
    with pytest.raises(ValueError, match=phrase):
        frames.check_columns(pd.DataFrame({"when": values}))


def test_many_different_texts_are_an_identifier():
    n_many = frames.MANY_TEXTS + 1
    different = [f"id {number}" for number in range(n_many)]
    with pytest.raises(ValueError, match=r"column 'id' has 51 different texts in 51 rows"):
        frames.check_columns(pd.DataFrame({"id": different}))
    frames.check_columns(pd.DataFrame({"id": different * 2}))  # each is in two rows
    frames.check_columns(pd.DataFrame({"id": different[:-1]}))


def test_a_text_among_numbers_is_refused_by_the_name_of_its_column():
    with pytest.raises(ValueError, match="column 'a' must hold numbers"):
        frames.numbers_of(pd.DataFrame({"a": ["x"]}), ["a"])
