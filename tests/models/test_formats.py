"""Models of every format that was ever written still load, and predict what they did."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from softshare.models.folder import FORMAT
from softshare.models.model import load_model
from tests.models.keep_format import FORMATS, KEPT, PREDICTIONS, TABLE

FOLDERS = sorted(path for path in FORMATS.glob("format-*/*") if path.is_dir())


def test_this_version_s_format_is_among_them() -> None:
    assert {path.name for path in FOLDERS if path.parent.name == f"format-{FORMAT}"} == set(KEPT)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_model_of_a_released_format_predicts_what_it_did(folder: Path) -> None:
    new = pd.read_csv(folder.parent / TABLE)
    told = load_model(folder).predict(new)
    before = pd.read_csv(folder / PREDICTIONS)
    pd.testing.assert_frame_equal(told, before, check_dtype=False, rtol=1e-3, atol=1e-4)
