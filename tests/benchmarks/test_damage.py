"""Damaged records and splits give one line or the same answer; a check that sees none is none."""

from __future__ import annotations

import json

import pytest

from benchmarks import damage
from benchmarks.tiny_comparison import compared, files_in, tasks
from softshare.evaluation.records import sealed
from tests.evaluation import stub_run


@pytest.fixture
def whole(monkeypatch, tmp_path):
    """The tiny comparison without its training."""
    monkeypatch.setattr("softshare.evaluation.compare.run", stub_run.run)
    compared(tasks(), tmp_path / "whole")
    return tmp_path / "whole"


def test_some_damages_are_told_or_change_nothing(whole):
    ends, wrong = damage.trial(tasks(), whole, 40)
    assert wrong == []
    assert ends["refused"] > 3
    assert ends["the same answer"] > 2


def test_a_change_in_silence_is_seen(whole, monkeypatch):
    def trusting(text):
        content = json.loads(text)
        del content[sealed.DIGEST]
        return content

    monkeypatch.setattr("softshare.evaluation.records.records.unseal", trusting)
    _, wrong = damage.trial(tasks(), whole, 25)
    assert any("changed in silence" in why for why in wrong)


@pytest.mark.parametrize("each", dict.fromkeys(damage.DAMAGES), ids=lambda each: each.__name__)
def test_every_damage_changes_files(whole, each):
    before = files_in(whole)
    each(sorted((whole / "records").iterdir()), damage.np.random.default_rng(0))
    assert files_in(whole) != before
