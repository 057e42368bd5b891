"""Whoever watches is told of every job, once it has been dealt with."""

from __future__ import annotations

import pytest

from softshare.evaluation.jobs.engine import open_engine
from softshare.evaluation.jobs.progress import WatchedEngine


def double(_, job):
    return 2 * job


def test_every_job_is_told_and_the_total_follows_what_is_skipped():
    moments = []
    with open_engine(double, None, workers=0) as engine:
        watched = WatchedEngine(engine, 5, moments.append)
        watched.skip(2)
        results = [outcome.result for outcome in watched.outcomes({"a": 1, "b": 2})]
        watched.expect(1)
        results += [outcome.result for outcome in watched.outcomes({"c": 3})]
    assert results == [2, 4, 6]
    told = [(moment.done, moment.total, moment.running) for moment in moments]
    assert told == [
        (0, 3, ("a",)),
        (1, 3, ("b",)),
        (2, 3, ()),
        (2, 3, ("c",)),
        (3, 3, ()),
    ]
    assert moments[0].seconds_left is None
    assert moments[-1].seconds_left == pytest.approx(0)


def test_without_a_watcher_the_jobs_run_all_the_same():
    with open_engine(double, None, workers=0) as engine:
        (outcome,) = WatchedEngine(engine, 1, None).outcomes({"a": 4})
    assert outcome.result == 8
