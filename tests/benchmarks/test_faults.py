"""A fault at some operations on files costs nothing; a check that sees none would be none."""

from __future__ import annotations

import os

import pytest

from benchmarks import faults
from benchmarks.tiny_comparison import compared, tasks
from tests.evaluation import stub_run


@pytest.fixture
def work(monkeypatch):
    """The tiny comparison without its training."""
    if not hasattr(os, "fork"):
        pytest.skip("processes cannot be forked")
    monkeypatch.setattr("softshare.evaluation.compare.run", stub_run.run)
    data = tasks()
    return lambda out: compared(data, out)


def test_faults_at_some_operations_cost_nothing(work, monkeypatch):
    some = {name: faults.FAULTS[name] for name in ("ENOSPC from then on", "SIGKILL")}
    monkeypatch.setattr(faults, "FAULTS", some)
    ends, wrong = faults.trial(work, every=40)
    assert wrong == []
    assert ends["empty folder, SIGKILL: ended by the signal"] > 1
    assert ends["empty folder, ENOSPC from then on: line"] > 1


def test_what_a_fault_leaves_behind_is_seen(tmp_path):
    def careless(out):
        (out / "half").touch()
        os.mkdir(out / "folder")
        (out / "half").unlink(missing_ok=True)
        (out / "whole").write_text("whole")

    expected = {"whole": b"whole"}
    tmp_path.joinpath("begin").mkdir()
    _, wrong = faults.wrong_with(careless, tmp_path / "begin", expected, "SIGKILL", 3)
    assert "it does not go on" in wrong  # the folder is there already
