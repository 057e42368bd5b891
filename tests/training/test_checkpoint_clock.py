"""Checkpoints are due after steps or time, and take no more of it than they may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from softshare.training.checkpoint_clock import CheckpointClock


class Watch:
    """Stands for the time that passes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.seconds)


def test_after_so_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch)
    clock = CheckpointClock(4)
    assert [step for step in range(1, 13) if clock.is_due(step)] == [4, 8, 12]


def test_after_so_much_time_since_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    clock = CheckpointClock(timedelta(seconds=10))
    clock.begin()
    watch.seconds += 9
    clock.begin()  # it has begun already
    assert not clock.is_due(1)
    watch.seconds += 1
    assert clock.is_due(2)
    with clock.writing():
        watch.seconds += 8
    watch.seconds += 9
    assert not clock.is_due(3)
    watch.seconds += 1
    assert clock.is_due(4)


def test_writing_takes_a_twentieth_at_most_unless_told_how_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Watch(monkeypatch)
    for every, seconds in ((None, 200), (timedelta(minutes=1), 60)):
        clock = CheckpointClock(every)
        with clock.writing():
            watch.seconds += 10
        watch.seconds += seconds - 1
        assert not clock.is_due(1)
        watch.seconds += 1
        assert clock.is_due(2)
