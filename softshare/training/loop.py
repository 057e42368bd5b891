"""The training loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import islice

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batches import Batch, Batches
from softshare.tasks.task import Task
from softshare.training.callbacks import Callbacks
from softshare.training.distributed import Processes
from softshare.training.kept import Kept
from softshare.training.objective import Objective
from softshare.training.recorder import Recorder
from softshare.training.spreads import SpreadUpdates
from softshare.training.training_parts import Stateful


@dataclass(frozen=True, eq=False)
class Loop:
    """One step after the other, and what happens beside them.

    Args:
        network: is trained in place.
        tasks: the training tasks.
        processes: that train together.
        objective: what is minimised.
        optimizer: of the network's parameters.
        schedule: of the learning rates, or None.
        clip_norm: the most that the gradient's length may be, or None.
        spreads: of the tasks' own parts.
        recorder: of the history.
        callbacks: the user's.
        seed: of what is drawn at random in a step.
    """

    network: MultiTaskNetwork
    tasks: Sequence[Task]
    _: KW_ONLY
    processes: Processes
    objective: Objective
    optimizer: Optimizer
    schedule: LRScheduler | None
    clip_norm: float | None
    spreads: SpreadUpdates
    recorder: Recorder
    callbacks: Callbacks
    seed: int

    def parts(self) -> dict[str, Stateful]:
        """What changes from step to step beside the network."""
        parts: dict[str, Stateful] = {
            "optimizer": self.optimizer,
            "spreads": self.spreads,
            "recorder": self.recorder,
            "callbacks": self.callbacks,
        }
        if self.schedule is not None:
            parts["schedule"] = self.schedule
        return parts

    def run(self, batches: Batches, total: int, kept: Kept) -> None:
        """Make the steps that are still to be made.

        Args:
            batches: the steps' examples.
            total: steps in all.
            kept: what keeps the training, and knows the steps that were made before.

        Raises:
            FloatingPointError: the loss is not finite; names the task and the step.
        """
        network = self.network
        network.train()
        step = begin = kept.resume(total)
        rest = islice(batches.after(begin), total - begin)
        like = next(network.parameters())
        with kept.uninterrupted():
            with network.bodies.noise.training():
                for step, batch in enumerate(rest, start=begin + 1):
                    if self._step(step, batch, like) or step == total:
                        break
                    kept.after_step(step)
            self.recorder.finish(network)
            kept.finish(step)

    def _step(self, step: int, batch: Sequence[Batch], like: Tensor) -> bool:
        """One update; says whether it is the last one.

        Args:
            step: its number.
            batch: its examples.
            like: what they are to be like, in device and precision.
        """
        network, processes = self.network, self.processes
        network.bodies.noise.begin_step(self.seed, step, process=processes.rank)
        parts = []
        for part in processes.share(batch):
            parts.append(part.to(like.device, like.dtype))
        loss = self.objective(network, parts)
        self._forget_gradients()
        loss.total.backward()
        loss = processes.combine(network, loss, batch)
        loss.require_finite(self.tasks, step, batch)
        self.callbacks.before_step(network, step, loss)
        if self.clip_norm is not None:
            processes.clip(network, self.clip_norm)
        self.optimizer.step()
        network.after_step()
        self.spreads.after_step(network, step, parts)
        if self.schedule is not None:
            self.schedule.step()
        # Both, for each is to see the step that ends the training.
        out_of_patience = self.recorder.after_step(network, step, loss)
        return self.callbacks.after_step(network, step, loss) or out_of_patience

    def _forget_gradients(self) -> None:
        """What the optimizer's zero_grad does, without its bookkeeping."""
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
