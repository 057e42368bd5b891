"""How far a comparison has come is shown where somebody looks."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from softshare.evaluation.jobs.contract import Outcome
from softshare.evaluation.jobs.display import ProgressDisplay, watching
from softshare.evaluation.jobs.progress import ComparisonProgress

MOMENTS = [
    ComparisonProgress(0, 2, ("tied-f1-s0", "tucker-f1-s0"), None),
    ComparisonProgress(
        1, 2, ("tucker-f1-s0",), 34.6, Outcome("tied-f1-s0", {"error": None, "seconds": 3.14})
    ),
    ComparisonProgress(
        2, 2, (), 0.0, Outcome("tucker-f1-s0", error=ZeroDivisionError("made by the test"))
    ),
]


def shown(*, terminal: bool) -> str:
    stream = io.StringIO()
    with ProgressDisplay(Console(file=stream, force_terminal=terminal, width=120)) as display:
        for moment in MOMENTS:
            display(moment)
    return stream.getvalue()


def test_progress_in_a_file_is_a_line_for_every_run():
    assert shown(terminal=False).splitlines() == [
        "[1/2] tied-f1-s0: 3.1 s; about 35 s left",
        "[2/2] tucker-f1-s0: failed: made by the test; about 0 s left",
    ]


def test_progress_on_a_terminal_says_what_is_running_and_the_time_left():
    text = shown(terminal=True)
    for part in (
        "running tied-f1-s0 and tucker-f1-s0",
        "running tucker-f1-s0",
        "0/2",
        "1/2",
        "about 35 s left",
    ):
        assert part in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("progress", "stream", "is_shown"),
    [
        (None, io.StringIO, False),
        (None, Terminal, True),
        (True, io.StringIO, True),
        (False, Terminal, False),
    ],
)
def test_it_is_shown_on_a_terminal_unless_told_otherwise(monkeypatch, progress, stream, is_shown):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("TERM", "xterm")
    with watching(progress) as watcher:
        assert (watcher is not None) == is_shown
        for moment in MOMENTS if watcher else ():
            watcher(moment)
    assert bool(sys.stderr.getvalue()) == is_shown


def test_whoever_watches_is_told():
    told = []
    with watching(told.append) as watcher:
        watcher(MOMENTS[0])
    assert told == MOMENTS[:1]
