"""When the next checkpoint is due."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

Every = int | timedelta
"""Steps or time between checkpoints."""

A_MINUTE = timedelta(minutes=1)

MOST_TIME = 0.05
"""Of a training, what writing may take where nobody said how often."""


SHORT = 1 / 60
"""Of the time between two checkpoints: what may be lost without regret."""


class CheckpointClock:
    """Tells when a checkpoint is due.

    Args:
        every: steps or time between two; None: a minute, or longer where writing would take more
            than :data:`MOST_TIME` of all time.
    """

    def __init__(self, every: Every | None) -> None:
        self._steps = None if isinstance(every, timedelta) else every
        time_between = every if isinstance(every, timedelta) else A_MINUTE
        self._seconds = time_between.total_seconds()
        self._may_wait = every is None
        self._last: float | None = None

    def begin(self) -> None:
        """Count from now on, unless it has begun."""
        if self._last is None:
            self._last = time.monotonic()

    def is_due(self, step: int) -> bool:
        """Whether to write after this step."""
        if self._steps is not None:
            return step % self._steps == 0
        self.begin()
        assert self._last is not None
        return time.monotonic() - self._last >= self._seconds

    def is_short(self, seconds: float) -> bool:
        """Whether so much time is next to nothing beside that between two checkpoints."""
        return seconds < SHORT * self._seconds

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around what writes a checkpoint; the next one is due a while after it."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self._last = time.monotonic()
            if self._may_wait:
                taken = self._last - begin
                self._seconds = max(A_MINUTE.total_seconds(), taken / MOST_TIME)
