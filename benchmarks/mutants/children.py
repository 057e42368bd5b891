"""Tests in forked children of a process that has loaded all: none waits for libraries."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence

import psutil
import pytest

SECONDS_OF_NOTHING = 60.0
"""A child that computes nothing for so long hangs."""

BROKEN = 99
"""The exit status of a child whose action raised: no test has judged anything."""


class Seen:
    """A plugin that notes which tests fail."""

    def __init__(self) -> None:
        self.failing: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See pytest's hook."""
        if report.outcome == "failed":
            self.failing.add(report.nodeid)


def run_item(items: Sequence[pytest.Item], place: int) -> None:
    """Run one of some tests that follow on each other."""
    item = items[place]
    following = items[place + 1] if place + 1 < len(items) else None
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def run_child(action: Callable[[], int], *, cpu_seconds: float) -> int | None:
    """Run something in a child; what it returned, None where it took too long or hung, and the
    negative number of another signal that ended it.

    Args:
        action: what it does.
        cpu_seconds: that it may take.
    """
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            os.setpgid(0, 0)
            limit = int(cpu_seconds) + 1
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            _fork_processes()
            code = action()
        finally:
            os._exit(code)
    status = _awaited(child)
    if status is None:
        return None
    code = os.waitstatus_to_exitcode(status)
    return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code


def _fork_processes() -> None:
    """Let processes that tests start by ``multiprocessing`` be forked: they run the fault too."""
    forked = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda method=None: forked


def _awaited(child: int) -> int | None:
    """The status of a child; None where it hung, and was ended with all that it started."""
    last_change = time.monotonic()
    spent = 0.0
    pause = 0.005
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _end_group(child)
            return status
        computed = _computed(child)
        if computed > spent + 0.01:
            spent, last_change = computed, time.monotonic()
        if time.monotonic() - last_change > SECONDS_OF_NOTHING:
            _end_group(child)
            os.waitpid(child, 0)
            return None
        time.sleep(pause)
        pause = min(2 * pause, 0.2)


def _computed(child: int) -> float:
    """The seconds that a process and all that it started have computed."""
    total = 0.0
    try:
        process = psutil.Process(child)
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    except psutil.Error:
        return total
    return total


def _end_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return
