"""What runs that have not ended keep of their trainings, so that they go on after a kill.

A run that lasts longer than a minute has a folder here, which goes when its record is there::

    OUT/unfinished/KEY/TRAINING/step-….safetensors
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from softshare.methods.settings import RunSettings
from softshare.training.checkpoint_clock import A_MINUTE
from softshare.training.kept import Checkpoints

UNFINISHED = "unfinished"

EVERY = A_MINUTE
"""Between checkpoints of a run; a shorter one has none."""


class UnfinishedRuns:
    """The folder of the runs that have not ended.

    Args:
        out: the comparison's folder; None: nothing is kept.
    """

    def __init__(self, out: Path | None) -> None:
        self._folder = None if out is None else out.absolute() / UNFINISHED

    def keeping(self, key: str, settings: RunSettings) -> RunSettings:
        """The settings of a run that is kept from now on.

        The folder is made here, and its own only by a process that sees this one: another machine
        keeps nothing where it does not share the disk.

        Args:
            key: of the run or trial.
            settings: of it.
        """
        if self._folder is None:
            return settings
        with suppress(OSError):  # there is no room: the run goes on without
            self._folder.mkdir(exist_ok=True)
        return replace(settings, checkpoints=Checkpoints(self._folder / key, every=EVERY))

    def end(self, key: str) -> None:
        """Remove what a run has kept; its record is there."""
        if self._folder is not None:
            shutil.rmtree(self._folder / key, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder where nothing is left in it."""
        if self._folder is not None:
            with suppress(OSError):
                self._folder.rmdir()
