"""A folder says with what it was begun, before there is a record."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softshare.evaluation.compare import compare
from softshare.evaluation.records.begun import SETTINGS, read_begun
from softshare.tasks.task_set import TaskSet
from tests.evaluation import stub_run


@pytest.fixture
def tasks():
    random = np.random.default_rng(0)
    return TaskSet.from_arrays(
        {name: (random.normal(size=(60, 3)), np.arange(60) % 2) for name in ("north", "south")}
    )


def compared(tasks, out, **arguments):
    return compare(tasks, methods=["tied"], seeds=1, workers=0, out=out, **arguments)


@pytest.fixture
def at_first_run(monkeypatch, tmp_path):
    """What happens when the first run is made."""
    made = []

    def run(tasks, settings, split, method=None):
        while made:
            made.pop()()
        return stub_run.run(tasks, settings, split)

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    return made


def test_the_settings_are_there_before_the_first_run(tasks, tmp_path, at_first_run):
    seen = []
    at_first_run.append(lambda: seen.extend(read_begun(tmp_path)))
    compared(tasks, tmp_path, steps=7)
    assert [begun["settings"]["steps"] for begun in seen] == [7, 7]
    assert {begun["settings"]["method"] for begun in seen} == {"independent", "tied"}
    before = (tmp_path / SETTINGS).read_bytes()
    compared(tasks, tmp_path, steps=7)
    assert (tmp_path / SETTINGS).read_bytes() == before


def test_a_folder_that_another_has_begun_is_refused_before_it_holds_a_record(
    tasks, tmp_path, at_first_run
):
    compared(tasks, tmp_path, steps=7)
    for path in (tmp_path / "records").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="steps was 7 and is 8"):
        compared(tasks, tmp_path, steps=8)
    assert compared(tasks, tmp_path, steps=7).records


def test_an_interrupted_comparison_that_kept_nothing_leaves_the_folder_to_others(
    tasks, tmp_path, at_first_run
):
    def interrupt():
        raise KeyboardInterrupt

    at_first_run.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        compared(tasks, tmp_path, steps=7)
    assert not (tmp_path / SETTINGS).exists()
    assert compared(tasks, tmp_path, steps=8).records


@pytest.mark.parametrize("damage", ["", "[]", json.dumps({"format": 2})])
def test_a_damaged_file_is_written_anew(tasks, tmp_path, at_first_run, damage):
    compared(tasks, tmp_path)
    whole = (tmp_path / SETTINGS).read_bytes()
    (tmp_path / SETTINGS).write_text(damage)
    compared(tasks, tmp_path)
    assert (tmp_path / SETTINGS).read_bytes() == whole
