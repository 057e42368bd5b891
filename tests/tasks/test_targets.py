"""Kinds and encodings of target columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softshare.tasks.targets import encode_target, infer_kind
from softshare.tasks.task import Task

SCORES = np.random.default_rng(0).integers(1, 71, 15_362)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ([0, 1, 1, 0], "binary"),
        ([0.5, 0.7, 0.5], "binary"),
        ([True, False, None], "binary"),
        (["yes", "no", None], "binary"),
        ([1.0, 2.0, np.nan, 1.0], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([0, 1, 2], "multiclass"),
        ([0.0, 1.0, 2.0, np.nan], "multiclass"),
        (np.arange(10).repeat(10), "multiclass"),
        (np.arange(10).repeat(9), "regression"),
        (np.arange(11).repeat(50), "regression"),
        (np.repeat(np.arange(8), [5, 20, 60, 90, 50, 20, 8, 3]), "regression"),
        (np.repeat(np.arange(1, 8), [211, 283, 35, 3, 40, 90, 20]), "multiclass"),
        ([0.0, 0.5, 1.0], "regression"),
        (SCORES, "regression"),
        (SCORES.astype(float), "regression"),
        (SCORES.astype(str), "regression"),
        (["1", "2", "x"], "multiclass"),
        ([1, "1.5", "x", True], "multiclass"),
        (pd.Categorical([1, 2, 3, 4]), "multiclass"),
        (pd.Series([1, 2, None, 4, 5], dtype="Int64"), "regression"),
        (pd.Series([True, None, False], dtype="boolean"), "binary"),
        (torch.tensor([1.5, 2.5, 3.5]), "regression"),
    ],
)
def test_kind_follows_the_documented_rule(target: object, kind: str) -> None:
    assert infer_kind(target) == kind


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, float("nan")])
def test_missing_labels_are_nan_and_no_class(missing: object) -> None:
    task, values = encode_target("t", ["b", missing, "a", "c"])
    assert task == Task("t", "multiclass", 3, ("a", "b", "c"))
    np.testing.assert_array_equal(values, [1, np.nan, 0, 2])


def test_whole_numbers_held_as_floats_name_their_classes_as_whole_numbers() -> None:
    assert encode_target("t", [2.0, np.nan, 1.0])[0].classes == ("1", "2")


def test_classes_are_numbered_in_the_order_of_numbers_not_of_their_text() -> None:
    task, values = encode_target("t", [10, 9, 2] * 10)
    assert task.classes == ("2", "9", "10")
    assert values[:3].tolist() == [2, 1, 0]


def test_categories_keep_the_order_that_pandas_has_and_unused_ones_do_not_count() -> None:
    column = pd.Series(
        pd.Categorical(
            ["low", "high", None, "mid"], categories=["low", "mid", "high", "never"], ordered=True
        )
    )
    task, values = encode_target("t", column)
    assert task.classes == ("low", "mid", "high")
    np.testing.assert_array_equal(values, [0, 2, np.nan, 1])


def test_false_is_class_0() -> None:
    task, values = encode_target("t", [True, None, False])
    assert task.classes == ("False", "True")
    np.testing.assert_array_equal(values, [1, np.nan, 0])


def test_the_index_of_a_pandas_column_does_not_count() -> None:
    assert encode_target("t", pd.Series([1.5, 2.5, 3.5], index=[7, 7, 7]))[1].tolist() == [
        1.5,
        2.5,
        3.5,
    ]


@given(
    st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1).filter(
        lambda values: any(value is not None for value in values)
    )
)
def test_regression_targets_keep_their_values(values: list[float | None]) -> None:
    task, encoded = encode_target("t", values, "regression")
    assert task == Task("t", "regression")
    np.testing.assert_array_equal(encoded, [np.nan if value is None else value for value in values])


@given(
    st.lists(st.none() | st.text("abc", min_size=1, max_size=2), min_size=2).filter(
        lambda values: len(set(values) - {None}) > 1
    )
)
def test_class_numbers_lead_back_to_the_labels(values: list[str | None]) -> None:
    task, encoded = encode_target("t", values)
    assert [None if np.isnan(number) else task.classes[int(number)] for number in encoded] == values


def test_a_given_kind_overrides_the_rule() -> None:
    assert encode_target("t", [0, 1, 2], "regression")[0].kind == "regression"
    assert encode_target("t", SCORES, "multiclass")[0].n_outputs == 70
    assert encode_target("t", [0, 1, 1], "multiclass")[0].n_outputs == 2


@pytest.mark.parametrize(
    "target",
    [
        pd.Categorical([1, 0, None, 1]),
        pd.Categorical(["1", "0", None, "1.0"]),
        pd.Categorical([True, False, None, True]),
        pd.Series([True, False, None, True], dtype="boolean"),
        [True, False, None, True],
    ],
)
def test_categories_and_truths_are_the_numbers_that_they_stand_for(target: object) -> None:
    task, values = encode_target("t", target, "regression")
    assert task == Task("t", "regression")
    np.testing.assert_array_equal(values, [1, 0, np.nan, 1])


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ([1, 1, 1], None, r"task 't': the target has one class only \('1'\)"),
        ([None, np.nan], None, "task 't': the target has no labels"),
        ([], None, "no labels"),
        ([1, 2, 3], "binary", "binary target has two values, found 3"),
        ([1, "abc", 3], "regression", "must be numbers, found 'abc' in row 2"),
        (pd.Categorical(["1", "abc", "3"]), "regression", "must be numbers, found 'abc' in row 2"),
        (pd.Categorical([1.0, np.inf]), "regression", r"1 infinite value\(s\), the first in row 2"),
        (
            pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01"])),
            "regression",
            "cannot be dates",
        ),
        ([1.0, np.inf, -np.inf], None, r"2 infinite value\(s\), the first in row 2"),
        ([1, 2], "ranking", "kind must be one of binary, multiclass, regression, got 'ranking'"),
        (np.zeros((3, 2)), None, r"shape \(N,\), got shape \(3, 2\)"),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), None, "cannot be dates"),
    ],
)
def test_targets_that_cannot_be_learned_are_refused(
    target: object, kind: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encode_target("t", target, kind)
