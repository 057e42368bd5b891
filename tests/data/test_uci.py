"""Rows of the UCI tables."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.data import (
    uci,
)


def test_uci_rows_are_read_by_their_layout() -> None:
    features, classes = uci.rows_of(b"7,A,1,?\n8,B,-2.5,.5\n\n", 2, class_at=1, leading=2)
    np.testing.assert_array_equal(features, [[1, np.nan], [-2.5, 0.5]])
    assert classes.tolist() == ["A", "B"]
    features, classes = uci.rows_of(b"  name 1 2  x\n", 2, separator=None, leading=1)
    assert (features.tolist(), classes.tolist()) == ([[1, 2]], ["x"])
    with pytest.raises(ValueError, match="row 2 has 3 fields, expected 4"):
        uci.rows_of(b"7,A,1,2\n7,A,1\n", 2, class_at=1, leading=2)
    with pytest.raises(ValueError, match="could not convert string to float: 'x'"):
        uci.rows_of(b"x,1\n", 1)
