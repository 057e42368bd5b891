"""A split's file holds rows of the source, and gives the split back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.evaluation.records.split_files import read_split, rows_of_parts, write_split
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet


@pytest.fixture
def frame():
    """Rows in no order of their tasks, some without a target."""
    random = np.random.default_rng(0)
    target = random.normal(size=90)
    target[[4, 50]] = np.nan
    place = random.permutation(np.repeat(["north", "south", "west"], 30))
    return pd.DataFrame({"x": random.normal(size=90), "place": place, "y": target})


def test_a_part_holds_the_rows_of_the_file(frame, tmp_path):
    tasks = read_table(frame, target="y", task="place")
    divided = split(tasks, seed=0)
    parts = json.loads(write_split(tmp_path, tasks, divided).read_text())
    # the test part's inputs and targets are those of the frame's rows
    test = tasks.select(divided.test)
    assert sorted(frame["y"].iloc[parts["test"]]) == sorted(test.targets)
    rows = [*parts["train"], *parts["validation"], *parts["test"]]
    assert sorted(rows) == [row for row in range(90) if row not in (4, 50)]
    by_place = frame["place"].iloc[parts["train"]].value_counts()
    assert list(by_place[["north", "south", "west"]]) == list(
        tasks.select(divided.train).n_examples
    )


def test_the_split_comes_back(frame, tmp_path):
    one_task_column = read_table(frame, target="y", task="place")
    several_targets = read_table(
        frame.assign(z=frame["x"] ** 2).drop(columns="place"), target=["y", "z"]
    )
    arrays = {
        name: (np.zeros((30, width)), np.arange(30) % 2) for width, name in enumerate("ab", 1)
    }
    several_sources = TaskSet.from_arrays(arrays)
    for tasks in (one_task_column, several_targets, several_sources):
        divided = split(tasks, seed=1, train_fraction=0.5)
        path = write_split(tmp_path, tasks, divided)
        assert read_split(path, tasks).digest() == divided.digest()


def test_tasks_of_several_sources_have_rows_of_their_own():
    arrays = {
        name: (np.zeros((30, width)), np.arange(30) % 2) for width, name in enumerate("ab", 1)
    }
    tasks = TaskSet.from_arrays(arrays)
    parts = rows_of_parts(tasks, split(tasks, seed=0))
    assert set(parts["test"]) == {"a", "b"}
    assert max(max(rows) for part in parts.values() for rows in part.values()) == 29
