"""What training minimises: the sum over tasks of the mean loss, and the sharings' penalties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batches import Batch
from softshare.tasks.losses import BinaryLoss, TaskLosses
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Loss:
    """The objective's parts at one step.

    Args:
        tasks: the numbers of the step's tasks among the training tasks, ``(k,)``.
        by_task: their mean losses, ``(k,)``.
        penalty: the sum of the penalties, ``()``.
    """

    tasks: Tensor
    by_task: Tensor
    penalty: Tensor

    @cached_property
    def total(self) -> Tensor:
        """``Σ_t mean loss_t + Σ penalties``, ``()``."""
        return self.by_task.sum() + self.penalty

    def require_finite(
        self, tasks: Sequence[Task], step: int, batches: Sequence[Batch] = ()
    ) -> None:
        """Stop where training diverges.

        Args:
            tasks: the training tasks.
            step: the step's number.
            batches: what made the loss, to tell bad data from training that diverges.

        Raises:
            FloatingPointError: the loss is not finite; names the task and the step.
        """
        if isfinite(float(self.total.detach())):
            return
        bad = torch.nonzero(~torch.isfinite(self.by_task)).flatten().tolist()
        what = f"the loss of task {tasks[int(self.tasks[bad[0]])].label!r}" if bad else "a penalty"
        value = (self.by_task[bad[0]] if bad else self.penalty).detach()
        remedy = _bad_data(batches) or "try a smaller learning rate"
        more = f" ({len(bad)} tasks in all)" if len(bad) > 1 else ""
        raise FloatingPointError(f"{what} became {float(value):g} at step {step}{more}; {remedy}")


def _bad_data(batches: Sequence[Batch]) -> str:
    """What to do about examples that are not numbers; nothing where all are."""
    for batch in batches:
        for what, values in (("inputs", batch.inputs), ("targets", batch.targets)):
            if not bool(torch.isfinite(values).all()):
                return (
                    f"its {what} hold nan or infinite values: fill them in or leave those "
                    "examples out"
                )
    return ""


class Objective:
    """``Σ_t mean_i loss(f_t(x_i), y_i) + Σ penalties``.

    The sum over tasks, not the mean: a task's gradient does not shrink because there are others. A
    step on ``k`` of
    the ``T`` tasks adds up their losses and the share ``k/T`` of the penalties, so losses and
    penalties weigh against each other as they do where every step has all tasks, and a step costs
    nothing for absent tasks.

    Args:
        train: the training examples of the network's tasks, or of some of them; their numbers tell
            each penalty what the mean losses are means over.
        binary: the loss of binary tasks, ``"logistic"`` or ``"hinge"``.
    """

    def __init__(self, train: TaskSet, *, binary: BinaryLoss = "logistic") -> None:
        self.losses = TaskLosses(train.tasks, binary=binary)
        self._tasks = train.tasks
        self._counts = torch.from_numpy(train.n_examples.astype("float32"))
        self._network: MultiTaskNetwork | None = None

    def __call__(self, network: MultiTaskNetwork, batches: Sequence[Batch]) -> Loss:
        """The objective on one step's batches; 0 where there are none (no task of the step is this
        process's).
        """
        if not batches:
            device = next(network.parameters()).device
            return Loss(
                torch.zeros(0, dtype=torch.long),
                torch.zeros(0, device=device, requires_grad=True),
                torch.zeros((), device=device),
            )
        places, examples, nothing = self._in(network, batches[0].inputs.device)
        parts = []
        for batch in batches:
            network.bodies.noise.first_row = batch.first_row
            tasks = batch.tasks if places is None else places[batch.tasks]
            parts.append(
                self.losses(
                    network.run(batch.inputs, tasks=tasks, one_input=batch.one_input), batch
                )
            )
        by_task = parts[0] if len(parts) == 1 else torch.cat(parts)
        numbers = (
            batches[0].tasks if len(parts) == 1 else torch.cat([batch.tasks for batch in batches])
        )
        if not network.is_regularised:
            return Loss(numbers, by_task, nothing)
        return Loss(numbers, by_task, len(by_task) / len(self._tasks) * network.penalty(examples))

    def _in(
        self, network: MultiTaskNetwork, device: torch.device
    ) -> tuple[Tensor | None, Tensor, Tensor]:
        """Where these tasks stand among the network's, None where they are the same; the examples
        of all the network's tasks; and 0.

        A task that is not trained counts with as many examples as the others have in the mean: a
        penalty per example goes by the mean of those that there are.
        """
        if self._network is not network:
            places = network.numbers(self._tasks).to(device)
            counts = self._counts.to(device)
            examples = counts.mean().expand(len(network.tasks)).index_copy(0, places, counts)
            same = torch.equal(places.cpu(), torch.arange(len(network.tasks)))
            self._network, self._known = (
                network,
                (None if same else places, examples, torch.zeros((), device=device)),
            )
        return self._known
