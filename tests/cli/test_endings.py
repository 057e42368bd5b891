"""A command that is asked to end ends in order."""

from __future__ import annotations

import os
import signal

import pytest

from softshare.cli import app
from softshare.cli.endings import AskedToEndError, ended_in_order

ENDING = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def _nothing_ignored():
    """As in a terminal: a shell's background job, or one of nohup, ignores some signals."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_nothing_ignored")
@pytest.mark.parametrize("number", ENDING)
def test_it_is_told_in_one_line_and_what_is_open_is_closed(number, monkeypatch, capsys):
    closed = []

    def run(tokens):
        try:
            os.kill(os.getpid(), number)
        finally:
            closed.append(True)

    monkeypatch.setattr(app, "_run", run)
    with pytest.raises(SystemExit) as left:
        app.main([])
    assert left.value.code == 128 + number
    assert closed == [True]
    told = capsys.readouterr().err
    assert told.startswith(f"softshare: ended by {number.name}; finished runs are kept")
    assert told.count("\n") == 1
    assert signal.getsignal(number) == signal.SIG_DFL


def test_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(AskedToEndError):
                os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGHUP, before)
