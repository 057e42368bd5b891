"""Both forms of rows: what they hold, and what is left when rows are held out."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.task_rows import (
    plain_names,
    rows_in_columns,
    rows_in_long_form,
    task_names,
)


def test_long_rows_are_sorted_by_task_and_know_where_they_came_from() -> None:
    X = np.arange(10.0).reshape(5, 2)
    y = np.arange(5.0)
    rows = rows_in_long_form(X, y, ["b", "a", "b", "a", "b"])
    assert rows.names == ["a", "b"]
    assert rows.counts.tolist() == [2, 3]
    assert [part.tolist() for part in rows.positions] == [[1, 3], [0, 2, 4]]
    np.testing.assert_array_equal(rows.inputs[1], X[[0, 2, 4]])
    np.testing.assert_array_equal(rows.targets[0], [1, 3])

    left = rows.take(np.array([True, False, False, False, True]))
    assert left.counts.tolist() == [0, 2]
    np.testing.assert_array_equal(left.inputs[1], X[[0, 4]])


def test_columns_without_missing_labels_hold_one_array() -> None:
    X = np.ones((3, 2))
    Y = np.arange(6.0).reshape(3, 2)
    rows = rows_in_columns(X, Y, ["u", "v"])
    assert rows.shared_inputs
    assert rows.take(np.array([True, True, False])).shared_inputs
    Y[1, 0] = np.nan
    rows = rows_in_columns(X, Y, ["u", "v"])
    assert not rows.shared_inputs
    assert rows.positions[0].tolist() == [0, 2]


def test_names_are_sorted_where_they_can_be() -> None:
    assert task_names([3, 1, 3, 2]) == [1, 2, 3]
    assert task_names(["b", 1, "b"]) == ["b", 1]
    (name,) = plain_names(np.array([7]), 1)
    assert type(name) is int
    with pytest.raises(ValueError, match="got 1 names for 2 rows"):
        plain_names(["a"], 2)
