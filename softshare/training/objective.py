"""What training minimises: the sum over tasks of the mean loss, and the sharings' penalties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batches import Batch
from softshare.tasks.losses import BinaryLoss, TaskLosses
from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Loss:
    """The objective's parts at one step.

    Args:
        by_task: the tasks' mean losses, ``(T,)``.
        penalty: the sum of the penalties, ``()``.
    """

    by_task: Tensor
    penalty: Tensor

    @property
    def total(self) -> Tensor:
        """``Σ_t mean loss_t + Σ penalties``, ``()``."""
        return self.by_task.sum() + self.penalty


class Objective:
    """``Σ_t mean_i loss(f_t(x_i), y_i) + Σ penalties``.

    The sum over tasks, not the mean: a task's gradient does not shrink because there are others.

    Args:
        train: the training examples of the network's tasks, or of some of them; their numbers tell each penalty
            what the mean losses are means over.
        binary: the loss of binary tasks, ``"logistic"`` or ``"hinge"``.
    """

    def __init__(self, train: TaskSet, *, binary: BinaryLoss = "logistic") -> None:
        self.losses = TaskLosses(train.tasks, binary=binary)
        self._tasks, self._names = train.tasks, [task.label for task in train.tasks]
        self._network: MultiTaskNetwork | None = None
        self._examples = torch.from_numpy(train.n_examples.astype("float32"))

    def __call__(self, network: MultiTaskNetwork, batches: Sequence[Batch]) -> Loss:
        """The objective on one step's batches."""
        device = batches[0].inputs.device
        places = self._places_in(network).to(device)
        parts = [self.losses(network.run(batch.inputs, tasks=places[batch.tasks], one_input=batch.one_input), batch) for batch in batches]
        by_task = parts[0].new_zeros(len(self._names)).index_copy(0, torch.cat([batch.tasks for batch in batches]), torch.cat(parts))
        examples = torch.zeros(len(network.tasks), device=device).index_copy(0, places, self._examples.to(device))
        return Loss(by_task, network.penalty(examples))

    def _places_in(self, network: MultiTaskNetwork) -> Tensor:
        """Where these tasks stand among the network's, which may have more of them."""
        if self._network is not network:
            self._network, self._places = network, network.numbers(self._tasks)
        return self._places

    def require_finite(self, loss: Loss, step: int) -> None:
        """Stop where training diverges.

        Raises:
            FloatingPointError: the loss is not finite; names the task and the step.
        """
        if torch.isfinite(loss.total):
            return
        bad = torch.nonzero(~torch.isfinite(loss.by_task)).flatten().tolist()
        what = f"the loss of task {self._names[bad[0]]!r}" if bad else "a penalty"
        value = (loss.by_task[bad[0]] if bad else loss.penalty).detach()
        more = f" ({len(bad)} tasks in all)" if len(bad) > 1 else ""
        raise FloatingPointError(f"{what} became {float(value):g} at step {step}{more}; try a smaller learning rate")
