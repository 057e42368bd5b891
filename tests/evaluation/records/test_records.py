"""Records are written whole, read back, and kept apart by their settings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softshare.evaluation.records.records import conflicts, read_records, write_record
from softshare.evaluation.records.sealed import seal
from tests.evaluation.made_records import record

DATA = {"fingerprint": "abc", "division": "def"}


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


def test_a_damaged_record_is_known_whatever_was_damaged(tmp_path):
    for seed in range(4):
        write_record(tmp_path, record("tied", seed, {"a": 0.5}))
    paths = sorted(tmp_path.iterdir())
    text = paths[0].read_text()
    paths[0].write_text(text.replace('"a":{"roc_auc":0.5}', '"a":{"roc_auc":0.6}'))
    paths[1].write_bytes(paths[2].read_bytes())
    paths[3].write_text("{")
    with pytest.raises(ValueError, match="cannot be relied on") as told:
        read_records(tmp_path)
    message = str(told.value)
    assert message.startswith(f"out: 3 record(s) in {tmp_path} cannot be relied on")
    assert "tied-f1-s0.json (its content does not fit its digest)" in message
    assert "tied-f1-s1.json (it is the record 'tied-f1-s2')" in message
    assert "tied-f1-s3.json (it is no JSON)" in message
    assert message.endswith("delete them to run them again, or choose another folder")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "has no digest"),
        ("[" * 100_000, "is no JSON"),
        ('{"digest": "", "format": NaN}', "is no JSON"),
        ('{"digest": "", "format": 1e999}', "does not fit its digest"),
        (seal({"format": 99}), "its format is 99, this version reads 2"),
        (seal({"format": 2}), "key cannot be read"),
    ],
)
def test_what_is_no_record_is_named(tmp_path, text, reason):
    (tmp_path / "tied-f1-s0.json").write_text(text)
    with pytest.raises(ValueError, match=rf"tied-f1-s0\.json \([^;]*{reason}"):
        read_records(tmp_path)


def test_a_record_of_an_earlier_version_is_not_trusted(tmp_path):
    old = {**record("tied", 0, {"a": 0.5}), "format": 1}
    (tmp_path / "tied-f1-s0.json").write_text(json.dumps(old))
    with pytest.raises(ValueError, match="no digest, as files of earlier versions have none"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    "place",
    [("settings", "seed"), ("data", "fingerprint"), ("metrics",), ("curve",), ("split",)],
)
def test_a_whole_record_of_another_form_is_named(tmp_path, place):
    odd = record("tied", 0, {"a": 0.5})
    *outer, last = place
    inner = odd
    for name in outer:
        inner = inner[name]
    inner[last] = "odd"
    write_record(tmp_path, odd)
    (path,) = tmp_path.iterdir()
    if place == ("data", "fingerprint"):  # any text may be one
        assert read_records(tmp_path)
        return
    with pytest.raises(ValueError, match=rf"{path.name} \({'.'.join(place)}"):
        read_records(tmp_path)


def test_what_others_leave_in_the_folder_is_no_record(tmp_path):
    path = write_record(tmp_path, record("tied", 0, {"a": 0.5}))
    for name in (
        "tied-f1-s0 (1).json",
        "tied-f1-s0-conflict.json",
        "tied-f1-s0.sync-conflict-20260101-120000-ABCDEFG.json",
        "tied-f1-s0 (somebody's conflicted copy).json",
        "tied-f1-s0 - Copy.json",
        "._tied-f1-s0.json",
        "tied-f1-trial0.json",
    ):
        (tmp_path / name).write_bytes(path.read_bytes())
    for name in (".DS_Store", "desktop.ini", "Thumbs.db", "notes.json"):
        (tmp_path / name).write_bytes(b"\x00\xff")
    assert [found["key"] for found in read_records(tmp_path)] == ["tied-f1-s0"]


def test_a_record_that_was_laid_out_anew_is_whole(tmp_path):
    path = write_record(tmp_path, record("tied", 0, {"a": 0.5}))
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2, sort_keys=True))
    assert len(read_records(tmp_path)) == 1


def test_settings_that_differ_are_named():
    earlier = record("tied", 3, {"a": 0.5}, fraction=0.1)
    now = {**earlier["settings"], "method": "tucker", "fraction": 0.5, "seed": 0}
    assert conflicts([earlier], {"tucker": now}, DATA) == []
    assert conflicts([earlier], {"tucker": {**now, "steps": 20}}, DATA) == [
        "steps was 10 and is 20"
    ]
    assert conflicts(
        [earlier], {"tucker": {**now, "learning_rate": 0.1}}, {**DATA, "fingerprint": "xyz"}
    ) == [
        "learning_rate was the default and is 0.1",
        "the data were others",
    ]


def test_the_same_data_may_be_called_otherwise_and_divided_in_one_way_only():
    earlier = record("tied", 0, {"a": 0.5})
    now = {**earlier["settings"], "source": "./made.csv"}
    assert conflicts([earlier], {"tied": now}, DATA) == []
    (phrase,) = conflicts([earlier], {"tied": now}, {**DATA, "division": "other"})
    assert phrase == "the groups or the given parts of the rows were others"


def test_what_a_search_chose_may_differ_between_records():
    earlier = record("tied", 0, {"a": 0.5})
    earlier["settings"] |= {"trials": 5, "learning_rate": 0.003, "searched": ["learning_rate"]}
    now = {**earlier["settings"], "learning_rate": None, "searched": []}
    assert conflicts([earlier], {"tied": now}, DATA) == []
    assert conflicts([earlier], {"tied": {**now, "learning_rate": 0.003}}, DATA) == [
        "learning_rate was the default and is 0.003"
    ]
    assert conflicts([earlier], {"tied": {**now, "trials": 0}}, DATA) == ["trials was 5 and is 0"]


def test_options_that_differ_are_named_with_their_method():
    earlier = record("tucker", 0, {"a": 0.5})
    earlier["settings"] |= {"method_options": {"ranks": 0.5, "apart": 0.25}}
    now = {
        "tied": {**earlier["settings"], "method": "tied", "method_options": {}},
        "tucker": {**earlier["settings"]},
    }
    assert conflicts([earlier], now, DATA) == []
    assert conflicts([earlier], {"tied": now["tied"]}, DATA) == []  # tucker is not asked for
    now["tucker"]["method_options"] = {"apart": 0.5}
    assert conflicts([earlier], now, DATA) == [
        "tucker.apart was 0.25 and is 0.5",
        "tucker.ranks was 0.5 and is the default",
    ]
    earlier["settings"] |= {"trials": 5, "searched": ["ranks"]}
    now = {name: {**settings, "trials": 5} for name, settings in now.items()}
    assert conflicts([earlier], now, DATA) == ["tucker.apart was 0.25 and is 0.5"]
