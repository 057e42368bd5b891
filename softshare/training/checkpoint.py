"""Trainings that go on where they stopped, whatever stopped them.

A checkpoint holds all that a training needs, so that the steps that follow are bit for bit those of
a training that nobody disturbed. Which examples a step takes, and what dropout draws in it, goes by
the seed and the step's number: neither has a state beside that number.
"""

from __future__ import annotations

import time
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task_set import TaskSet
from softshare.training.checkpoint_clock import CheckpointClock, Every
from softshare.training.checkpoint_file import Checkpoint
from softshare.training.checkpoint_folder import CheckpointFolder
from softshare.training.interrupts import Interrupt
from softshare.training.kept import Checkpoints, Kept
from softshare.training.training_identity import TrainingIdentity, described, network_identity
from softshare.training.training_parts import NetworkValues, Parts, SharedGenerators

OF_STEPS = ("optimizer", "schedule", "spreads")
"""Parts that a training needs for its next step, and not once it is finished."""


class _KeptParts(Kept):
    """Reads and writes a training's parts."""

    def __init__(self, parts: Parts, identity: TrainingIdentity) -> None:
        self._parts, self._identity = parts, identity
        self._finished = False

    @property
    @abstractmethod
    def _folder(self) -> CheckpointFolder: ...

    def _write(self, step: int, *, finished: bool = False) -> None:
        state = {}
        for name, part in self._parts.items():
            if not (finished and name in OF_STEPS):
                state[name] = part.state_dict()
        self._folder.write(Checkpoint(step, finished, self._identity.as_json, state))

    def _take_up(self, checkpoint: Checkpoint, total: int) -> int:
        for name, state in checkpoint.state.items():
            try:
                self._parts[name].load_state_dict(state)
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                by = checkpoint.training.get("versions")
                raise ValueError(
                    f"checkpoint: the state of the {name} in {self._folder.path}, written by {by}, "
                    f"does not suit the one that is there now ({error}); choose another folder"
                ) from error
        self._finished = checkpoint.finished
        return total if self._finished else checkpoint.step


class KeptByUser(_KeptParts):
    """A training that is kept in a folder of its own.

    Its first checkpoint is that of the start, so that what cannot be written is told before the
    first step and not after an hour of them.

    Args:
        folder: of the training.
        every: steps or time between checkpoints; None: a minute, or longer where writing one takes
            long.
        parts: of the training.
        identity: which training it is.
    """

    def __init__(
        self,
        folder: Path,
        every: Every | None,
        *,
        parts: Parts,
        identity: TrainingIdentity,
    ) -> None:
        super().__init__(parts, identity)
        self._of_training = CheckpointFolder(folder)
        self._clock = CheckpointClock(every)
        self._interrupt = Interrupt()

    @property
    def _folder(self) -> CheckpointFolder:
        return self._of_training

    def resume(self, total: int) -> int:
        checkpoint = self._folder.newest()
        if checkpoint is None:
            with self._clock.writing():
                self._write(0)
            return 0
        self._clock.begin()
        self._require_same(checkpoint)
        return self._take_up(checkpoint, total)

    def after_step(self, step: int) -> None:
        if self._interrupt.came:
            self._write(step)
            raise KeyboardInterrupt
        if self._clock.is_due(step):
            with self._clock.writing():
                self._write(step)

    def finish(self, step: int) -> None:
        if not self._finished:
            self._write(step, finished=True)
        if self._interrupt.came:
            raise KeyboardInterrupt

    def uninterrupted(self) -> AbstractContextManager[None]:
        return self._interrupt.kept_back()

    def _require_same(self, checkpoint: Checkpoint) -> None:
        differences = self._identity.differences(checkpoint.training)
        if self._identity.starts_otherwise_only(checkpoint.training):
            # In a notebook the cell that trains is run again, on the network that it left behind.
            now = self._parts["network"]
            assert isinstance(now, NetworkValues)
            if now.is_at(checkpoint.state["network"]):
                return
        if differences:
            raise ValueError(
                f"checkpoint: {self._folder.path} holds another training ({'; '.join(differences)})"
                "; choose another folder, or delete this one"
            )


class KeptInRun(_KeptParts):
    """A training that is kept while the run lasts that it is a part of.

    The run is what matters: where a checkpoint cannot be written, it goes on without.

    Args:
        checkpoints: of the run.
        parts: of the training.
        identity: which training it is.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        *,
        parts: Parts,
        identity: TrainingIdentity,
    ) -> None:
        super().__init__(parts, identity)
        self._run = checkpoints
        self._begun = 0.0

    @property
    def _folder(self) -> CheckpointFolder:
        return CheckpointFolder(self._run.folder / self._identity.digest())

    def resume(self, total: int) -> int:
        self._run.clock.begin()
        self._begun = time.monotonic()
        if not self._run.folder.is_dir():
            return 0  # and the data need not be looked at
        checkpoint = self._folder.newest()
        return 0 if checkpoint is None else self._take_up(checkpoint, total)

    def after_step(self, step: int) -> None:
        if self._run.clock.is_due(step):
            self._try_to_write(step)

    def finish(self, step: int) -> None:
        # Once the run has lasted long enough to be kept, so is what it has finished. Of very short
        # trainings, of which there may be hundreds, writing would take as long as training again.
        is_short = self._run.clock.is_short(time.monotonic() - self._begun)
        if self._run.folder.is_dir() and not self._finished and not is_short:
            self._try_to_write(step, finished=True)

    def _try_to_write(self, step: int, *, finished: bool = False) -> None:
        if not self._run.folder.parent.is_dir():
            return  # another machine, which does not see the results
        try:
            with self._run.clock.writing():
                self._write(step, finished=finished)
        except OSError as error:
            warnings.warn(f"{error}; this run goes on and is not kept", stacklevel=2)


def kept_training(
    checkpoint: str | Path | Checkpoints | None,
    every: Every | None,
    *,
    parts: Parts,
    settings: Mapping[str, Any],
    data: tuple[TaskSet, TaskSet | None],
    network: MultiTaskNetwork,
) -> Kept:
    """What keeps a training.

    Args:
        checkpoint: the folder of the training, or where those of its run are; None keeps nothing.
        every: steps or time between checkpoints, or None.
        parts: of the training, beside the network and the generators that all code shares.
        settings: of the training, argument → value.
        data: the training examples, and those that are watched.
        network: before its first step.
    """
    if checkpoint is None:
        return Kept()
    values = NetworkValues(network)
    device = next(network.parameters()).device
    kept: Parts = {"network": values, "generators": SharedGenerators(device), **parts}
    plain = {name: described(value) for name, value in settings.items()}
    identity = TrainingIdentity(plain, *data, network_identity(network, values))
    if isinstance(checkpoint, Checkpoints):
        return KeptInRun(checkpoint, parts=kept, identity=identity)
    folder = Path(checkpoint)
    return KeptByUser(folder, every, parts=kept, identity=identity)
