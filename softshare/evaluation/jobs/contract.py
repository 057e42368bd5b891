"""Independent jobs and what becomes of them; :mod:`softshare.evaluation.jobs.engine` runs them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Work = Callable[[Any, Any], Any]
"""(what all jobs share, the job) → its result."""


@dataclass(frozen=True)
class AtWorkers:
    """What every worker has before its first job.

    Args:
        prepare: called once.
        work: what a job does, a function of a module that workers can import.
        shared: what all jobs need.
    """

    prepare: Callable[[], None]
    work: Work
    shared: Any


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its result, or the exception that it raised."""

    key: str
    result: Any = None
    error: BaseException | None = None


class Engine(AbstractContextManager["Engine"], ABC):
    """Runs jobs while its context is open."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many jobs run at a time."""

    @abstractmethod
    def outcomes(self, jobs: Mapping[str, Any]) -> Iterator[Outcome]:
        """Run the jobs, begun in their order, and give what became of each as it is known.

        A job that raises loses none of the others, and one whose process dies is begun again by
        another process.
        """
