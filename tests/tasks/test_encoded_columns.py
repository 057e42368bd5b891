"""Columns on disk give what the same columns of a frame give, a few rows at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from softshare.tasks import encoded_columns
from softshare.tasks.encoded_columns import EncodedColumns
from tests.tasks.fitted import fitted_on

WARDS = ("a", "b", "c")


@pytest.fixture
def frame():
    random = np.random.default_rng(0)
    codes = random.integers(-1, 3, 60)
    numbers = np.where(random.random(60) < 0.2, np.nan, 1e6 + random.normal(size=60))
    wards = [None if code < 0 else WARDS[code] for code in codes]
    return pd.DataFrame({"number": numbers, "ward": wards, "same": np.ones(60)})


def encoded(frame):
    codes = frame["ward"].map({ward: float(code) for code, ward in enumerate(WARDS)})
    values = np.stack([frame["number"], codes, frame["same"]], axis=1).astype(np.float64)
    return EncodedColumns(values, ("number", "ward", "same"), {"ward": WARDS})


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_features_are_those_of_the_frame_however_many_rows_are_read_at_once(
    frame, at_once, monkeypatch
):
    monkeypatch.setattr(encoded_columns, "ROWS_AT_ONCE", at_once)
    training = np.arange(0, 60, 2)
    table = encoded(frame)
    of_table, _, _ = table.fit(training)
    of_frame, _ = fitted_on(frame.iloc[training])
    assert of_table.feature_names == of_frame.feature_names
    torch.testing.assert_close(
        table.features(of_table, table[np.arange(60)]),
        of_frame.transform(frame),
        rtol=1e-5,
        atol=1e-5,
    )


def test_an_infinite_number_is_refused_by_the_name_of_its_column(frame):
    frame.loc[4, "number"] = np.inf
    with pytest.raises(ValueError, match="number"):
        encoded(frame).fit(np.arange(60))


def test_a_table_without_a_column_that_differs_is_refused():
    alike = EncodedColumns(np.ones((5, 2)), ("a", "b"))
    with pytest.raises(ValueError, match=r"a.*b"):
        alike.fit(np.arange(5))
