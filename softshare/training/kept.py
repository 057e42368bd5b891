"""What keeps a training, and where those of a run are kept."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path

from softshare.training.checkpoint_clock import A_MINUTE, CheckpointClock


class Kept:
    """What keeps a training, so that it can go on; this one keeps nothing."""

    def resume(self, total: int) -> int:
        """Take up what is kept.

        Returns:
            The steps that have been made; ``total`` where the training is finished.

        Raises:
            ValueError: what is kept is of another training; the message names what differs.
            OSError: it cannot be read or written.
        """
        return 0

    def after_step(self, step: int) -> None:
        """Keep the training where that is due."""

    def finish(self, step: int) -> None:
        """Keep that it is finished."""

    def uninterrupted(self) -> AbstractContextManager[None]:
        """While it lasts, Ctrl-C waits for the end of a step."""
        return nullcontext()


class Checkpoints:
    """Where the trainings of one run are kept while it lasts.

    A run trains several networks one after another: folds, candidates, members. Each has a folder
    by what it trains, so that nobody need say which it is, and nothing is kept before the run has
    lasted for a while.

    Args:
        folder: of the run; made by the first checkpoint, if the folder around it is there.
        every: time between checkpoints.
    """

    def __init__(self, folder: Path, *, every: timedelta = A_MINUTE) -> None:
        self.folder = folder
        self.clock = CheckpointClock(every)
