"""Records are written whole, read back, and kept apart by their settings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softshare.evaluation.records.records import conflicts, read_records, write_record, write_text
from tests.evaluation.made_records import record


def test_records_are_read_back_in_the_order_of_their_keys(tmp_path):
    rows = [
        record(method, seed, {"a": 0.5}) for method in ("tied", "independent") for seed in (1, 0)
    ]
    for row in rows:
        write_record(tmp_path, row)
    assert read_records(tmp_path) == sorted(rows, key=lambda row: row["key"])
    assert read_records(tmp_path / "nowhere") == []


def test_numbers_become_plain_json(tmp_path):
    odd = {
        "nan": np.nan,
        "infinite": [np.float32("inf"), 1.5],
        "array": np.arange(3),
        "integer": np.int64(2),
        "flag": np.bool_(True),
        "none": None,
    }
    (found,) = read_records(write_record(tmp_path, record("tied", 0, {"a": 0.5}, extra=odd)).parent)
    assert found["extra"] == {
        "nan": None,
        "infinite": [None, 1.5],
        "array": [0, 1, 2],
        "integer": 2,
        "flag": True,
        "none": None,
    }


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    write_text(tmp_path / "file", "old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_text(tmp_path / "file", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


def test_a_file_that_says_the_same_is_not_touched(tmp_path):
    path = write_text(tmp_path / "deep" / "file", "text")
    before = path.stat().st_ino
    write_text(path, "text")
    assert path.stat().st_ino == before
    write_text(path, "other")
    assert path.read_text() == "other"


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"format": 99})])
def test_what_is_no_record_is_named(tmp_path, text):
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ValueError, match=r"broken\.json is no run record"):
        read_records(tmp_path)


def test_settings_that_differ_are_named():
    earlier = record("tied", 3, {"a": 0.5}, fraction=0.1)
    now = {**earlier["settings"], "method": "tucker", "fraction": 0.5, "seed": 0}
    assert conflicts([earlier], {"tucker": now}, "abc") == []
    assert conflicts([earlier], {"tucker": {**now, "steps": 20}}, "abc") == [
        "steps was 10 and is 20"
    ]
    assert conflicts([earlier], {"tucker": {**now, "learning_rate": 0.1}}, "xyz") == [
        "learning_rate was the default and is 0.1",
        "the data were others",
    ]


def test_what_a_search_chose_may_differ_between_records():
    earlier = record("tied", 0, {"a": 0.5})
    earlier["settings"] |= {"trials": 5, "learning_rate": 0.003, "searched": ["learning_rate"]}
    now = {**earlier["settings"], "learning_rate": None, "searched": []}
    assert conflicts([earlier], {"tied": now}, "abc") == []
    assert conflicts([earlier], {"tied": {**now, "learning_rate": 0.003}}, "abc") == [
        "learning_rate was the default and is 0.003"
    ]
    assert conflicts([earlier], {"tied": {**now, "trials": 0}}, "abc") == ["trials was 5 and is 0"]


def test_options_that_differ_are_named_with_their_method():
    earlier = record("tucker", 0, {"a": 0.5})
    earlier["settings"] |= {"method_options": {"ranks": 0.5, "apart": 0.25}}
    now = {
        "tied": {**earlier["settings"], "method": "tied", "method_options": {}},
        "tucker": {**earlier["settings"]},
    }
    assert conflicts([earlier], now, "abc") == []
    assert conflicts([earlier], {"tied": now["tied"]}, "abc") == []  # tucker is not asked for
    now["tucker"]["method_options"] = {"apart": 0.5}
    assert conflicts([earlier], now, "abc") == [
        "tucker.apart was 0.25 and is 0.5",
        "tucker.ranks was 0.5 and is the default",
    ]
    earlier["settings"] |= {"trials": 5, "searched": ["ranks"]}
    now = {name: {**settings, "trials": 5} for name, settings in now.items()}
    assert conflicts([earlier], now, "abc") == ["tucker.apart was 0.25 and is 0.5"]
