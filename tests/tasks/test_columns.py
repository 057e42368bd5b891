"""From columns to the columns of a task set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softshare.tasks.columns import column_of, entries_by_task, names_of, places_in_runs


def test_places_count_within_every_run() -> None:
    assert places_in_runs(np.array([3, 3, 3, 7, 7, 3])).tolist() == [0, 1, 2, 0, 1, 0]
    assert places_in_runs(np.array([], dtype=np.int64)).tolist() == []


def test_entries_of_a_task_stand_together_in_the_order_of_their_rows() -> None:
    values = np.array([1.0, np.nan, 3.0, 4.0, 5.0])
    offsets, rows, found = entries_by_task(values, np.array([1, 0, 0, 1, 0]), 3)
    assert offsets.tolist() == [0, 2, 4, 4]
    assert rows.tolist() == [2, 4, 0, 3]
    assert found.tolist() == [3.0, 5.0, 1.0, 4.0]


def test_pairs_of_factors_are_tasks_only_where_they_stand() -> None:
    task = pd.DataFrame({"aspect": ["b", "a", "b", "a"], "customer": [2.0, 1.0, 2.0, 3.0]})
    names, number_of_row = names_of(task)
    assert names == [("a", "1"), ("a", "3"), ("b", "2")]
    assert number_of_row.tolist() == [2, 0, 2, 1]


def test_rows_without_a_task_are_counted() -> None:
    with pytest.raises(ValueError, match=r"2 row\(s\) have no task, the first is row 2"):
        names_of(["a", None, "b", None])


def test_a_column_has_a_value_a_row() -> None:
    assert column_of([1, 2], None) == ()
    with pytest.raises(ValueError, match="one value a row, got 3 for 2 rows"):
        column_of([1, 2], [0, 0, 0])
