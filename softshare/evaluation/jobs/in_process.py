"""Jobs run one after the other in this very process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import torch

from softshare.evaluation.jobs.contract import Engine, Outcome, Work


class InThisProcess(Engine):
    """Runs jobs here, on one thread while it is open.

    Args:
        work: what a job does.
        shared: what all jobs need.
    """

    def __init__(
        self,
        work: Work,
        shared: Any,
    ) -> None:
        self._work, self._shared = work, shared
        self._threads = torch.get_num_threads()

    @property
    def capacity(self) -> int:
        return 1

    def __enter__(self) -> Self:
        torch.set_num_threads(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        torch.set_num_threads(self._threads)

    def outcomes(self, jobs: Mapping[str, Any]) -> Iterator[Outcome]:
        for key, job in jobs.items():
            try:
                outcome = Outcome(key, self._work(self._shared, job))
            except Exception as error:
                outcome = Outcome(key, error=error)
            yield outcome
