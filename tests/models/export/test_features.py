"""Preprocessing as a module makes the very features that the model has learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from softshare.models.export.features import features_of
from softshare.models.export.inputs import _of_table
from softshare.models.export.refusal import NotExportableError
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.features import TableColumns
from softshare.tasks.target_encoding import Outcome, folds_of
from softshare.tasks.vectors import Scaled, Vectors

N_ROWS = 240


def made(seed: int) -> pd.DataFrame:
    """Rows of every kind of column, with gaps."""
    random = np.random.default_rng(seed)
    days = pd.to_timedelta(random.integers(0, 900, N_ROWS), unit="D")
    hours = pd.to_timedelta(random.integers(0, 86_400, N_ROWS), unit="s")
    frame = pd.DataFrame({"age": random.normal(40, 9, N_ROWS).round(1)})
    frame["income"] = random.lognormal(10, 2, N_ROWS)
    frame["smokes"] = random.choice([True, False], N_ROWS)
    frame["born"] = pd.Timestamp("1960-01-01") + days
    frame["visit"] = pd.Timestamp("2024-03-01") + days + hours
    frame["home"] = random.choice(["town", "village", "farm"], N_ROWS)
    frame["street"] = [f"street {number}" for number in random.integers(0, 90, N_ROWS)]
    for place, name in enumerate(("age", "born", "home", "street")):
        frame.loc[place :: 7 + place, name] = None
    return frame


def fitted(frame: pd.DataFrame) -> TableColumns:
    rows = np.arange(N_ROWS)
    outcomes = [Outcome("", rows, np.random.default_rng(3).normal(size=N_ROWS))]
    columns, _, _ = EncodedColumns.of(frame).fit(rows, folds_of(rows, N_ROWS), outcomes)
    return columns


def test_tables() -> None:
    columns = fitted(made(0))
    # Every kind of feature is among them.
    assert {reading.kind for reading in columns.readings} >= {"number", "date", "category", "many"}
    assert columns.indicated
    assert columns.numeric.indicated
    rows = made(1)
    rows.loc[3, ["home", "street"]] = "somewhere new"
    given = {name: torch.from_numpy(value) for name, value in _of_table(columns, rows).items()}
    features = features_of([columns])(given, torch.zeros(N_ROWS, dtype=torch.int64))
    # Sines and cosines of whole turns less may differ in the last digit.
    torch.testing.assert_close(features, columns.transform(rows), rtol=1e-6, atol=1e-6)
    plain = [place for place, name in enumerate(columns.feature_names) if "sine" not in name]
    assert torch.equal(features[:, plain], columns.transform(rows)[:, plain])


def test_arrays_are_scaled_as_each_row_s_source() -> None:
    random = np.random.default_rng(0)
    parts = [random.normal(size, size, (30, 3)) for size in (1.0, 9.0)]
    for part in parts:
        part[4, 1] = np.nan
    both = [Vectors.fit(part, "abc") for part in parts]
    module = features_of(both)
    rows = torch.from_numpy(np.concatenate([parts[0][:8], parts[1][:8]]))
    sources = torch.repeat_interleave(torch.arange(2), 8)
    wanted = torch.cat([one.transform(part[:8]) for one, part in zip(both, parts, strict=True)])
    assert torch.equal(module({"inputs": rows}, sources), wanted)


def test_numbers_that_are_no_features_are_what_they_are_or_divided() -> None:
    pixels = torch.tensor([[0.0, 51.0], [255.0, 102.0]])
    none = torch.zeros(2, dtype=torch.int64)
    assert torch.equal(features_of([None])({"inputs": pixels}, none), pixels)
    divided = features_of([Scaled(255.0)])({"inputs": pixels}, none)
    assert torch.equal(divided, Scaled(255.0).transform(pixels))


def test_sources_that_make_different_features_are_refused() -> None:
    whole = np.random.default_rng(0).normal(size=(20, 2))
    gaps = whole.copy()
    gaps[3, 0] = np.nan
    with pytest.raises(NotExportableError, match="export each task by itself"):
        features_of([Vectors.fit(whole, "ab"), Vectors.fit(gaps, "ab")])
    with pytest.raises(NotExportableError, match="read in different ways"):
        features_of([Scaled(255.0), None])
