"""Which engine runs the jobs, and that all say the same."""

from __future__ import annotations

import os

import pytest
import torch

from softshare.evaluation.jobs.engine import open_engine
from softshare.evaluation.jobs.in_process import InThisProcess
from softshare.evaluation.jobs.local_pool import LocalPool
from softshare.tasks.arguments import ArgumentError
from tests.evaluation.jobs import work_of_tests


def test_the_engine_goes_by_the_workers():
    assert isinstance(open_engine(work_of_tests.double, None, workers=0), InThisProcess)
    assert isinstance(open_engine(work_of_tests.double, None), LocalPool)


def test_in_this_process_threads_are_given_back():
    torch.set_num_threads(2)
    try:
        with open_engine(threads_of_process, None, workers=0) as engine:
            (outcome,) = engine.outcomes({"one": 1})
        assert outcome.result == (os.getpid(), 1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def threads_of_process(shared, job):
    return os.getpid(), torch.get_num_threads()


def test_in_this_process_a_job_that_raises_loses_no_other():
    jobs = {"a": 1, "bad": "raise", "b": 2}
    with open_engine(work_of_tests.double, {"factor": 10}, workers=0) as engine:
        outcomes = {outcome.key: outcome for outcome in engine.outcomes(jobs)}
    assert isinstance(outcomes["bad"].error, ZeroDivisionError)
    assert [outcomes[key].result[0] for key in ("a", "b")] == [10, 20]


def test_a_cluster_without_dask_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr("softshare.evaluation.jobs.cluster.find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match=r"^cluster: needs Dask, install softshare\[cluster\]$"):
        open_engine(work_of_tests.double, None, cluster="tcp://127.0.0.1:1")
