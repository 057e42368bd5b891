"""Jobs for tests of engines; imports nothing heavy, so that a worker process is there at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

LONG = 600
"""Seconds that no test waits for, on a slow machine either."""


def prepared() -> None:
    """Stands for what imports PyTorch."""


def double(shared: dict[str, int], job: Any) -> tuple[int, int]:
    if job == "raise":
        raise ZeroDivisionError("job of the test")
    return shared["factor"] * job, os.getpid()


def die_once(folder: Path, job: int) -> tuple[int, int]:
    """Job 3 kills its process the first time that it runs."""
    started = folder / f"{job}-{time.monotonic_ns()}"
    started.touch()
    if job == 3 and len(list(folder.glob("3-*"))) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return job, os.getpid()


def leave_a_file(folder: Path, job: int) -> int:
    (folder / str(job)).touch()
    time.sleep(0.05)
    return job


def always_die(shared: None, job: str) -> str:
    if job == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def environment(shared: None, job: None) -> dict[str, str]:
    return dict(os.environ)


def fill_memory(shared: None, job: int) -> int:
    """Takes so many bytes, and waits for what happens."""
    taken = bytearray(job)
    for place in range(0, job, 4096):
        taken[place] = 1
    time.sleep(LONG if job else 0)
    return len(taken)


def places(shared: None, job: None) -> tuple[list[str], list[str]]:
    """Where modules are looked for, and which come from the current folder."""
    here = os.getcwd()
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return sys.path, [file for file in files if file.startswith(here + os.sep)]


def odd_error(shared: None, job: None) -> None:
    class OddError(Exception):
        def __init__(self) -> None:
            super().__init__("odd", threading.Lock())

    raise OddError


class Unreadable:
    """Cannot be made again in another process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, ()


def _refuse() -> None:
    raise ModuleNotFoundError("No module named 'mine'")


class DiesOnArrival:
    """Ends the process that it is sent to."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


class DiesOnFirstArrival:
    """Ends the first process that it is sent to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrive, (self.folder,)


def _arrive(folder: Path) -> DiesOnFirstArrival:
    arrived = folder / "arrived"
    if not arrived.exists():
        arrived.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return DiesOnFirstArrival(folder)


def identity(shared: Any, job: Any) -> Any:
    return job
