"""What a comparison shows on a terminal and in a file."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from softshare.evaluation.jobs.contract import Outcome
from softshare.evaluation.jobs.progress import ComparisonProgress
from softshare.report.findings import Findings
from softshare.report.listing import console_on
from softshare.report.terminal import ProgressDisplay, show
from tests.report.sample_records import Sample, write_sample

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


def test_the_answer_comes_first_then_a_row_for_every_method(tmp_path):
    stream = io.StringIO()
    comparison = Findings(
        write_sample(tmp_path, Sample()), {"pooled": "all tasks see the same rows"}
    )
    show(comparison, console_on(stream))
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("Learning together beats learning apart by ")
    assert [line.split()[0] for line in lines if " ± " in line] == list(comparison.board["method"])
    assert any(
        line.startswith("· tied at 10 % of the training data hurts 1 of 10 tasks: digit 8 (")
        for line in lines
    )
    assert "· pooled is left out: all tasks see the same rows" in lines
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("fractions", [(1.0,), (0.1, 0.5)])
def test_every_fraction_has_a_table(tmp_path, fractions):
    stream = io.StringIO()
    show(Findings(write_sample(tmp_path, Sample(fractions=fractions))), console_on(stream))
    assert stream.getvalue().count(" reference ") == len(fractions)
