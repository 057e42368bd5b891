"""A process that works for this one, reached by two pipes that nobody else holds."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

import cloudpickle
import psutil

from softshare.evaluation.jobs.contract import AtWorkers
from softshare.evaluation.jobs.machine import memory_of

PROCESS_ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Memory that a step frees is kept for the next. Given back to the system at once, it would be
    # fetched anew: the page faults of that take longer than a step on images does.
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_ARENA_MAX": "1",
}
"""What a process must know before it imports anything."""

SECONDS_TO_END = 5

_LOST = (EOFError, OSError, pickle.UnpicklingError)
"""What reading a pipe raises whose other end is gone, in the middle of a message or between two."""


_SHORTAGES = ("MemoryError", "OSError", "ImportError", "RuntimeError")
"""What is raised where memory, threads or open files run out while much is imported."""


class WorkerDiedError(Exception):
    """A process ended that should have gone on; the message says how."""


class CannotWorkError(Exception):
    """A process has started, and cannot work; the message says why."""


class WorkerProcess:
    """One process, started at once.

    It is a fresh interpreter that imports softshare and never the user's script, so that a script
    without an ``if __name__ == "__main__"`` does not start itself for ever.

    Raises:
        OSError: the system starts no more processes.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
        )
        self._outgrown = False

    @property
    def id(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def prepare(self, needed: AtWorkers) -> None:
        """Hand over what all its jobs need; returns when it has imported and read all of that.

        Raises:
            WorkerDiedError: it ended meanwhile, or ran short of something.
            CannotWorkError: it raised, for example because it cannot import the work.
        """
        # a process that cannot read on has said why before it closed its pipe
        with suppress(BrokenPipeError):
            cloudpickle.dump(needed, self._jobs)
            self._jobs.flush()
        hindrance = self._answer()
        if hindrance is None:
            return
        kind, told = hindrance
        if kind in _SHORTAGES:
            raise WorkerDiedError(f"{kind}: {told}")
        raise CannotWorkError(f"{kind}: {told}")

    def do(self, job: bytes) -> tuple[Any, BaseException | None]:
        """The result of a job, or what it raised.

        Raises:
            WorkerDiedError: it ended meanwhile.
        """
        with suppress(BrokenPipeError):
            pickle.dump(job, self._jobs)
            self._jobs.flush()
        answer = self._answer()
        try:
            result, error = pickle.loads(answer)
        except Exception as unreadable:  # made by a class that only the worker knows
            return None, unreadable
        return result, error

    def end_if_outgrown(self, limit: int) -> None:
        """Kill it where it has more than so many bytes of memory."""
        try:
            process = psutil.Process(self.id)
        except psutil.Error:
            return
        if memory_of(process) > limit:
            self._outgrown = True
            self.kill()

    def kill(self) -> None:
        """End it at once, in the middle of a job too."""
        self._process.kill()

    def close(self) -> None:
        """Let it end, which it does when there are no more jobs; a dead one is buried."""
        with suppress(BrokenPipeError):
            self._jobs.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._answers.close()

    def _answer(self) -> Any:
        try:
            return pickle.load(self._answers)
        except _LOST:
            raise WorkerDiedError(self._how_it_ended()) from None

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()  # it has closed its pipe and goes on: nobody hears of it any more
            code = self._process.wait()
        if self._outgrown:
            return "it outgrew its part of the memory"
        if code >= 0:
            return f"it left with code {code}"
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
        return f"it was ended by signal {-code}"

    @property
    def _jobs(self) -> BinaryIO:
        assert self._process.stdin is not None
        return self._process.stdin  # type: ignore[return-value]

    @property
    def _answers(self) -> BinaryIO:
        assert self._process.stdout is not None
        return self._process.stdout  # type: ignore[return-value]


def _command() -> list[str]:
    """A Python that finds its own library first, whatever lies in the current folder.

    What this process imports, a worker can import too, in the same order: softshare is the same,
    and the modules of a user's methods are there. But none of these can stand in for a module of
    Python's.
    """
    begin = (
        f"import sys; sys.path[:] = {_places()!a}; "
        f"from softshare.evaluation.jobs.worker import main; main({os.getpid()})"
    )
    options = ["-P", *(f"-W{option}" for option in sys.warnoptions)]
    if sys.flags.isolated:
        options.append("-I")
    if sys.flags.no_user_site:
        options.append("-s")
    return [sys.executable, *options, "-c", begin]


def _places() -> list[str]:
    """Where this process finds its modules, Python's own library first."""
    library = sysconfig.get_path("stdlib")
    # the archive beside it may not exist, but is always named
    archive = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    standard = {
        library,
        sysconfig.get_path("platstdlib"),
        os.path.join(library, "lib-dynload"),
        os.path.join(os.path.dirname(library), archive),
    }
    places = [os.path.abspath(place) for place in sys.path]
    return sorted(places, key=lambda place: place not in standard)


def _environment() -> dict[str, str]:
    environment = {**os.environ, **PROCESS_ENVIRONMENT, "PYTHONSAFEPATH": "1"}
    # an empty place in this list would be the current folder, and come first
    places = environment.pop("PYTHONPATH", "").split(os.pathsep)
    named = os.pathsep.join(filter(None, places))
    if named:
        environment["PYTHONPATH"] = named
    return environment
