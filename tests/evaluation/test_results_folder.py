"""The folder of a comparison belongs to one at a time."""

from __future__ import annotations

import pytest

from softshare.evaluation.results_folder import claimed
from softshare.tasks.arguments import ArgumentError


def test_a_folder_belongs_to_one_comparison_at_a_time(tmp_path):
    out = tmp_path / "some" / "results"
    with claimed(out):
        with (
            pytest.raises(ArgumentError, match=r"^out: another comparison is running in .*results"),
            claimed(out),
        ):
            pass
        with claimed(tmp_path / "other"):
            pass
    with claimed(out):
        pass


def test_an_error_frees_it(tmp_path):
    with pytest.raises(KeyboardInterrupt), claimed(tmp_path):
        raise KeyboardInterrupt
    with claimed(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for out in (tmp_path / "file", tmp_path / "file" / "results"):
        told = r"out: cannot write into .*file.*choose another"
        with pytest.raises(OSError, match=told), claimed(out):
            pytest.fail("it was begun")


def test_without_a_folder_there_is_nothing_to_claim(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with claimed(None), claimed(None):
        assert not list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
