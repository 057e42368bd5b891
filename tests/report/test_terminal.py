"""What a comparison shows on a terminal and in a file."""

from __future__ import annotations

import io

import pytest

from softshare.report.findings import Findings
from softshare.report.listing import console_on
from softshare.report.terminal import show
from tests.report.sample_records import Sample, write_sample


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
