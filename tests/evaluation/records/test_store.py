"""A store keeps what runs gave, with the options by which the data were read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softshare.evaluation.records.store import Store
from softshare.methods.settings import RunSettings
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from tests.evaluation.stub_run import run

SETTINGS = RunSettings(source="made", method="tied", fraction=1.0, seed=0)
READING = {"task": ("school",), "target": ("score",)}


@pytest.fixture
def tasks():
    return TaskSet.from_arrays({name: (np.zeros((20, 2)), np.arange(20) % 2) for name in "ab"})


def test_records_come_back_with_how_the_data_were_read(tasks, tmp_path):
    divided = split(tasks, seed=0)
    store = Store(tmp_path, {"tied": SETTINGS}, tasks, reading=READING)
    store.add(SETTINGS, run(tasks, SETTINGS, divided), divided)
    again = Store(tmp_path, {"tied": SETTINGS}, tasks, reading={})
    (record,) = again.records.values()
    assert record["reading"] == {"task": ["school"], "target": ["score"]}
    assert json.loads((tmp_path / record["split"]).read_text())["rows"].startswith("rows of the")


def test_trials_are_kept_apart_and_found_by_their_settings(tasks, tmp_path):
    divided = split(tasks, seed=0)
    store = Store(tmp_path, {"tied": SETTINGS}, tasks, reading={})
    store.add_trial("tied-trial0", run(tasks, SETTINGS, divided), divided)
    again = Store(tmp_path, {"tied": SETTINGS}, tasks, reading={})
    assert again.records == {}
    assert again.trial("tied-trial0", SETTINGS) is not None
    other = RunSettings(source="made", method="tied", fraction=1.0, seed=0, learning_rate=0.5)
    assert again.trial("tied-trial0", other) is None


def test_without_a_folder_all_stays_in_memory(tasks):
    divided = split(tasks, seed=0)
    store = Store(None, {"tied": SETTINGS}, tasks, reading=READING)
    store.add(SETTINGS, run(tasks, SETTINGS, divided), divided)
    (record,) = store.records.values()
    assert record["split"] is None
    assert record["reading"] == READING
