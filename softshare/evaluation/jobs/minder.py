"""A thread that keeps one worker process at work."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from queue import PriorityQueue, SimpleQueue

from softshare.evaluation.jobs.contract import AtWorkers, Outcome
from softshare.evaluation.jobs.worker_process import CannotWorkError, WorkerDiedError, WorkerProcess
from softshare.tasks.arguments import ArgumentError

MOST_STARTS = 4
"""Processes in a row that may end while they start."""

SECONDS_BETWEEN_STARTS = 0.5

REMEDY = "perhaps for want of memory: try fewer, or 0 to run in this process"


@dataclass(order=True)
class Asked:
    """A job that waits or is done; those asked for first come first.

    Args:
        order: in which it is begun.
        key: its name.
        job: pickled.
        answers: where what becomes of it is put.
        deaths: processes that died of it.
    """

    order: int
    key: str = field(compare=False)
    job: bytes = field(compare=False)
    answers: SimpleQueue[tuple[Asked, Answer]] = field(compare=False)
    deaths: int = field(default=0, compare=False)


_NO_MORE = -1
"""The order of what tells a minder that there are no more jobs: before that of any job."""

Answer = Outcome | WorkerDiedError


class Minder:
    """Keeps one process at work, and starts another in its place when it dies.

    Args:
        needed: what the process has before its first job.
        jobs: where it takes them from.
    """

    def __init__(
        self,
        needed: AtWorkers,
        jobs: PriorityQueue[Asked],
    ) -> None:
        self._needed, self._jobs = needed, jobs
        self._thread = threading.Thread(target=self._run, name="softshare-minder", daemon=True)
        self._lock = threading.Lock()
        self._process: WorkerProcess | None = None
        self._dismissed = self._waiting = False
        self.failure: Exception = RuntimeError("the process was never started")

    def begin(self) -> None:
        """Start the thread, if the system has one more to give."""
        try:
            self._thread.start()
        except RuntimeError as error:
            self.failure = _cannot_start(str(error))

    @property
    def is_at_work(self) -> bool:
        """Whether it takes jobs; not, where no process can be started."""
        return self._thread.is_alive()

    def end(self) -> None:
        """Wait for the end of the thread and of its process; it has been dismissed before."""
        if self._thread.is_alive():
            self._thread.join()

    def dismiss(self) -> None:
        """Take no more jobs, and leave what is being done."""
        with self._lock:
            self._dismissed = True
            if self._process is not None and not self._waiting:
                self._process.kill()

    def look_at_memory(self, most: int) -> None:
        """Kill the process where it has more than so many bytes."""
        with self._lock:
            if self._process is not None:
                self._process.end_if_outgrown(most)

    def _run(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            # for the processes started from this thread: an interrupt is for the main thread here
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            while not self._dismissed:
                self._serve(self._started())
        except Exception as error:
            self.failure = error

    def _serve(self, process: WorkerProcess) -> None:
        """Have a process do jobs until it dies or there are no more."""
        try:
            while (asked := self._next()) is not None:
                if not process.is_alive:  # it died while it had nothing to do
                    self._jobs.put(asked)
                    return
                try:
                    result, error = process.do(asked.job)
                except WorkerDiedError as death:
                    asked.answers.put((asked, death))
                    return
                asked.answers.put((asked, Outcome(asked.key, result, error)))
        finally:
            self._bury(process)

    def _next(self) -> Asked | None:
        """Wait for a job; None: there are no more."""
        with self._lock:
            self._waiting = True
            if self._dismissed:
                return None
        asked = self._jobs.get()
        with self._lock:
            self._waiting = False
            return None if self._dismissed else asked

    def _started(self) -> WorkerProcess:
        """A process that is ready to work; several are tried.

        Raises:
            ArgumentError: none came up.
        """
        how = "it was not tried"
        for attempt in range(MOST_STARTS):
            time.sleep(attempt * SECONDS_BETWEEN_STARTS)
            process = None
            try:
                process = self._begun()
                process.prepare(self._needed)
                return process
            except (OSError, WorkerDiedError) as error:
                how = str(error)
            except CannotWorkError as error:
                self._bury(process)
                raise _cannot_work(str(error)) from None
            self._bury(process)
            if self._dismissed:
                break
        raise _cannot_start(how)

    def _begun(self) -> WorkerProcess:
        # never one that the pool, which is being closed, does not know of
        with self._lock:
            if self._dismissed:
                raise WorkerDiedError("the pool was closed")
            self._process = WorkerProcess()
            return self._process

    def _bury(self, process: WorkerProcess | None) -> None:
        with self._lock:
            self._process = None
        if process is not None:
            process.close()


def no_more() -> Asked:
    """Tells one minder that there are no more jobs."""
    return Asked(_NO_MORE, "", b"", SimpleQueue())


def _cannot_start(how: str) -> ArgumentError:
    return ArgumentError(("workers", f"no process could be started ({how}), {REMEDY}"))


def _cannot_work(how: str) -> ArgumentError:
    remedy = "put what they need into a module that can be imported, or run in this process (0)"
    return ArgumentError(("workers", f"processes cannot run this ({how}); {remedy}"))
