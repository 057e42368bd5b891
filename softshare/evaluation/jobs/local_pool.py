"""Jobs in processes of this machine: one may die and loses nothing but time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from queue import Empty, PriorityQueue, SimpleQueue
from types import TracebackType
from typing import Any, Self

import cloudpickle

from softshare.evaluation.jobs.contract import AtWorkers, Engine, Outcome
from softshare.evaluation.jobs.machine import memory_limit
from softshare.evaluation.jobs.minder import REMEDY, Answer, Asked, Minder, no_more
from softshare.evaluation.jobs.worker_process import WorkerDiedError
from softshare.tasks.arguments import ArgumentError

MOST_DEATHS = 4
"""Processes that may die of one job, until it is given up."""

SECONDS_BETWEEN_LOOKS = 0.25

USABLE_MEMORY = 0.95
"""Of the memory, that processes may have: the rest is for everything else."""


class LocalPool(Engine):
    """Runs jobs in processes that it starts, over pipes that only it and they hold.

    No process listens on anything: a job comes in and a result goes out by a pipe that has no name.
    Each process is minded by a thread of its own, which starts another one when it dies.

    Args:
        needed: what every process has before its first job; it is sent to each once.
        workers: how many processes.
    """

    def __init__(
        self,
        needed: AtWorkers,
        *,
        workers: int,
    ) -> None:
        self._jobs: PriorityQueue[Asked] = PriorityQueue()
        self._minders = [Minder(needed, self._jobs) for _ in range(workers)]
        self._most_memory = int(USABLE_MEMORY * memory_limit() / workers)

    @property
    def capacity(self) -> int:
        return max(1, sum(minder.is_at_work for minder in self._minders))

    def __enter__(self) -> Self:
        for minder in self._minders:
            minder.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for minder in self._minders:
            minder.dismiss()
        for _ in self._minders:
            self._jobs.put(no_more())
        for minder in self._minders:
            minder.end()

    def outcomes(self, jobs: Mapping[str, Any]) -> Iterator[Outcome]:
        answers: SimpleQueue[tuple[Asked, Answer]] = SimpleQueue()
        for order, (key, job) in enumerate(jobs.items()):
            self._jobs.put(Asked(order, key, cloudpickle.dumps(job), answers))
        left = len(jobs)
        try:
            while left:
                asked, answer = self._next(answers)
                outcome = answer if isinstance(answer, Outcome) else self._after(asked, answer)
                if outcome is not None:
                    left -= 1
                    yield outcome
        finally:
            self._forget_waiting()

    def _after(self, asked: Asked, death: WorkerDiedError) -> Outcome | None:
        """What becomes of a job whose process died: another one takes it up, unless it seems to be
        the job that they die of.
        """
        asked.deaths += 1
        if asked.deaths < MOST_DEATHS:
            self._jobs.put(asked)
            return None
        told = f"{asked.deaths} processes died of this run ({death}), {REMEDY}"
        return Outcome(asked.key, error=ArgumentError(("workers", told)))

    def _forget_waiting(self) -> None:
        """Leave no job to be done for which nobody waits any more."""
        with suppress(Empty):
            while True:
                self._jobs.get_nowait()

    def _next(self, answers: SimpleQueue[tuple[Asked, Answer]]) -> tuple[Asked, Answer]:
        """Wait for what becomes of some job.

        Raises:
            Exception: no process can be started any more.
        """
        while True:
            for minder in self._minders:
                minder.look_at_memory(self._most_memory)
            try:
                return answers.get(timeout=SECONDS_BETWEEN_LOOKS)
            except Empty:
                if not any(minder.is_at_work for minder in self._minders):
                    raise self._minders[0].failure from None
