"""Counts, times and lists as sentences have them."""

from __future__ import annotations

from softshare.evaluation.words import count, duration, listed


def test_counts_and_lists():
    assert (count(1, "task"), count(2000, "task")) == ("1 task", "2,000 tasks")
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdefgh"), most=2) == "a, b and 6 more"


def test_times():
    assert [duration(seconds) for seconds in (3.21, 59.96, 83, 7320)] == [
        "3.2 s",
        "1 min 0 s",
        "1 min 23 s",
        "2 h 2 min",
    ]
