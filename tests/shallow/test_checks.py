"""Targets and settings that are refused, each with its rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from softshare.shallow.checks import checked_targets, two_classes
from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.go_mtl import GOMTL
from softshare.shallow.l21 import L21
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from tests.shallow.columns_of_tasks import columns


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ["a"]}, "tasks: one name for each row of X; got 1 names for 40 rows"),
        ({"y": np.ones((40, 2)), "tasks": ["a"] * 40}, r"y: one target a row beside tasks"),
        ({"y": np.full(40, np.nan), "tasks": ["a"] * 40}, "Input y contains NaN"),
        ({"y": np.array([[1, np.nan]] * 40)}, "y: column 1 has no label"),
    ],
)
def test_data_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    arguments = {"X": np.ones((40, 3)), "y": np.ones(40)} | change
    with pytest.raises(ValueError, match=message):
        L21().fit(**arguments)


def test_all_settings_out_of_range_are_named_together() -> None:
    X, Y = columns()
    wrong = MTRL(-1.0, float("nan"), loss="hinge", tol=0, max_iter=0)
    with pytest.raises(ValueError, match=r"MTRL: lambda_1 .* got -1.0; lambda_2 .*; loss .*; tol"):
        wrong.fit(X, Y)
    with pytest.raises(ValueError, match="alpha and beta are above 0"):
        RMTL(0.0).fit(X, Y)
    with pytest.raises(ValueError, match="mu and lam are above 0"):
        GOMTL(mu=0).fit(X, Y)
    with pytest.raises(ValueError, match='unseen: one of "error" and "common"'):
        EvgeniouPontil(unseen="mean").fit(X, Y)


def test_two_classes_are_numbered_and_missing_ones_stay_missing() -> None:
    targets = np.array([["no", "yes"], [None, "no"]], dtype=object)
    classes, numbers = two_classes(targets)
    assert classes.tolist() == ["no", "yes"]
    assert_array_equal(numbers, [[0, 1], [np.nan, 0]])
    with pytest.raises(ValueError, match="there is one class"):
        two_classes(np.ones(3))


def test_columns_may_miss_labels_and_single_targets_may_not() -> None:
    targets = np.array([[1.0, np.nan], [np.nan, 2.0]])
    assert_array_equal(checked_targets(targets, columns=True), targets)
    with pytest.raises(ValueError, match="contains NaN"):
        checked_targets(targets[:, 0], columns=True)
