"""A store keeps what runs gave, with the options by which the data were read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softshare.evaluation.records.division import Splits
from softshare.evaluation.records.records import write_record
from softshare.evaluation.records.split_files import read_split, split_path
from softshare.evaluation.records.store import Store
from softshare.methods.settings import RunSettings
from softshare.tasks.task_set import TaskSet
from tests.evaluation.stub_run import run

SETTINGS = RunSettings(source="made", method="tied", fraction=1.0, seed=0)
READING = {"task": ("school",), "target": ("score",)}


@pytest.fixture
def tasks():
    return TaskSet.from_arrays({name: (np.zeros((20, 2)), np.arange(20) % 2) for name in "ab"})


def test_records_come_back_with_how_the_data_were_read(tasks, tmp_path):
    divided = Splits(tasks).of(1.0, 0)
    store = Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading=READING)
    store.add(SETTINGS, run(tasks, SETTINGS, divided))
    again = Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
    (record,) = again.records.values()
    assert record["reading"] == {"task": ["school"], "target": ["score"]}
    assert record["split"] == divided.digest()
    kept = json.loads(split_path(tmp_path, record["split"]).read_text())
    assert kept["rows"].startswith("rows of the")


def test_trials_are_kept_apart_and_found_by_their_settings(tasks, tmp_path):
    divided = Splits(tasks).of(1.0, 0)
    store = Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
    store.add_trial("tied-f1-trial0", SETTINGS, run(tasks, SETTINGS, divided))
    again = Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
    assert again.records == {}
    assert again.trial("tied-f1-trial0", SETTINGS) is not None
    other = RunSettings(source="made", method="tied", fraction=1.0, seed=0, learning_rate=0.5)
    assert again.trial("tied-f1-trial0", other) is None


def test_without_a_folder_all_stays_in_memory(tasks):
    divided = Splits(tasks).of(1.0, 0)
    store = Store(None, {"tied": SETTINGS}, Splits(tasks), reading=READING)
    store.add(SETTINGS, run(tasks, SETTINGS, divided))
    (record,) = store.records.values()
    assert record["split"] == divided.digest()
    assert record["reading"] == READING


def test_records_of_another_division_are_refused(tmp_path):
    columns = {"a": np.arange(40) % 2, "b": np.arange(40) // 2 % 2}
    inputs = np.zeros((40, 2))

    def made(**division):
        return TaskSet.from_shared_inputs(inputs, columns, **division)

    plain = made()
    given = np.array(["train", "train", "test", "train"] * 10)
    store = Store(tmp_path, {"tied": SETTINGS}, Splits(plain), reading={})
    store.add(SETTINGS, run(plain, SETTINGS, Splits(plain).of(1.0, 0)))
    for other in (made(groups=np.arange(40) // 2), made(parts=given)):
        assert other.fingerprint() == plain.fingerprint()
        with pytest.raises(ValueError, match="groups or the given parts of the rows were others"):
            Store(tmp_path, {"tied": SETTINGS}, Splits(other), reading={})
    assert Store(tmp_path, {"tied": SETTINGS}, Splits(made()), reading={}).records


def test_a_record_whose_own_split_is_another_is_refused(tasks, tmp_path):
    store = Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
    store.add(SETTINGS, run(tasks, SETTINGS, Splits(tasks).of(1.0, 0)))
    (record,) = store.records.values()
    write_record(tmp_path / "records", {**record, "split": "0" * 32})
    with pytest.raises(ValueError, match="rows were divided otherwise for tied-f1-s0"):
        Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})


def test_a_damaged_split_is_made_again(tasks, tmp_path):
    store = Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
    store.add(SETTINGS, run(tasks, SETTINGS, Splits(tasks).of(1.0, 0)))
    (path,) = (tmp_path / "splits").iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole.replace(b"1", b"2"), b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be relied on"):
            read_split(path, tasks)
        Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
        assert path.read_bytes() == whole
    path.unlink()
    Store(tmp_path, {"tied": SETTINGS}, Splits(tasks), reading={})
    assert path.read_bytes() == whole
