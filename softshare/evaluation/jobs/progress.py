"""How far a comparison has come, for whoever watches it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from softshare.evaluation.jobs.contract import Engine, Outcome


@dataclass(frozen=True)
class ComparisonProgress:
    """A moment of a comparison.

    Args:
        done: finished runs, the trials of a search counted.
        total: runs to do; those whose record exists are not among them.
        running: keys of the runs that are under way.
        seconds_left: about how long the rest takes; None before the first run is done.
        finished: what became of the run that has just ended; None at the beginning.
    """

    done: int
    total: int
    running: tuple[str, ...]
    seconds_left: float | None
    finished: Outcome | None = None


Watcher = Callable[[ComparisonProgress], None]


class WatchedEngine:
    """Runs jobs on an engine and tells a watcher of every one that ends.

    Args:
        engine: runs the jobs.
        total: jobs there will be in all.
        watcher: is told; None: nobody watches.
    """

    def __init__(
        self,
        engine: Engine,
        total: int,
        watcher: Watcher | None,
    ) -> None:
        self._engine, self._watcher = engine, watcher
        self._total, self._done = total, 0
        self._begin = time.monotonic()

    def outcomes(self, jobs: Mapping[str, Any]) -> Iterator[Outcome]:
        """What became of each job; the watcher is told once the caller has dealt with it."""
        waiting = list(jobs)
        self._tell(waiting)
        for outcome in self._engine.outcomes(jobs):
            waiting.remove(outcome.key)
            self._done += 1
            yield outcome
            self._tell(waiting, outcome)

    def skip(self, jobs: int) -> None:
        """Count jobs of the total that need not run."""
        self._total -= jobs

    def expect(self, jobs: int) -> None:
        """So many are still to come."""
        self._total = self._done + jobs

    def _tell(
        self,
        waiting: list[str],
        finished: Outcome | None = None,
    ) -> None:
        if self._watcher is None:
            return
        elapsed = time.monotonic() - self._begin
        left = elapsed / self._done * (self._total - self._done) if self._done else None
        self._watcher(
            ComparisonProgress(
                self._done, self._total, tuple(waiting[: self._engine.capacity]), left, finished
            )
        )
