"""One step shared by several processes, one for each GPU, by plain ``torch.distributed``.

Start the script with ``torchrun --nproc-per-node=4 script.py``; in it call
``torch.distributed.init_process_group()`` and move the network to the process's own GPU, then
``ss.fit`` as ever: the examples of every task in a step are divided among the processes, and
gradients are averaged once a step, so that the results are those of one process at the same batch
size. Batch norm is the exception: its statistics in training are those of a process's own share.

Where the tasks' own parameters are too many for one GPU, :mod:`softshare.training.sharded` divides
the tasks instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
import torch.distributed as dist
from torch import Tensor, nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batch import Batch
from softshare.tasks.task_set import TaskSet
from softshare.training.objective import Loss

CLIPPED_BESIDE = 1e-6
"""Is added to a gradient's length where that is clipped, as PyTorch does it."""


class Processes:
    """The processes that train one network together; a single one where ``torch.distributed`` is
    not initialised.

    Args:
        device: where the network is, and with it what is sent (NCCL sends nothing from the CPU).

    Attributes:
        rank: this process's number.
        count: how many there are.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device
        together = dist.is_available() and dist.is_initialized()
        self.rank, self.count = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)

    def begin(self, network: MultiTaskNetwork) -> None:
        """Give all processes the first one's weights."""
        if self.count > 1:
            for value in (*network.parameters(), *network.buffers()):
                dist.broadcast(value.detach(), src=0)

    def own(self, tasks: TaskSet) -> TaskSet:
        """Those of the tasks that this process trains and validates: all of them."""
        return tasks

    def share(self, batches: Sequence[Batch]) -> list[Batch]:
        """This process's share of a step: of the examples of each task.

        Raises:
            ValueError: there are fewer examples of a task than processes.
        """
        return list(batches) if self.count == 1 else [self._share(batch) for batch in batches]

    def _share(self, batch: Batch) -> Batch:
        size = batch.targets.shape[1]
        if size < self.count:
            raise ValueError(
                f"batch_size: {size} examples of a task cannot be divided among "
                f"{self.count} processes; take at least {self.count}"
            )
        begin = size * self.rank // self.count
        end = size * (self.rank + 1) // self.count
        own = slice(begin, end)
        labelled = torch.full_like(batch.targets[:, 0], size)  # (k,)
        present = None
        if batch.present is not None:
            labelled = batch.present.sum(1).clamp(min=1)
            present = batch.present[:, own]
        # Rows that all tasks see have no dimension of the tasks.
        inputs = batch.inputs[own] if batch.one_input else batch.inputs[:, own]
        return replace(
            batch,
            inputs=inputs,
            targets=batch.targets[:, own],
            present=present,
            weights=None if batch.weights is None else batch.weights[:, own],
            # The mean over processes of sums divided by these is the mean over the whole batch.
            divisors=labelled / self.count,
            first_row=begin,
        )

    @torch.no_grad()
    def combine(self, network: MultiTaskNetwork, loss: Loss, batches: Sequence[Batch]) -> Loss:
        """Make the processes' gradients those of the whole step, all in one message; running
        statistics are averaged with them.

        Args:
            network: its parameters have the gradients of this process's share.
            loss: the loss of that share.
            batches: the whole step.

        Returns:
            The loss of the whole step.
        """
        if self.count == 1:
            return loss
        gradients = [
            _values_of_gradient(parameter)
            for parameter in network.parameters()
            if parameter.grad is not None
        ]
        statistics = [buffer for buffer in network.bodies.buffers() if buffer.is_floating_point()]
        by_task, penalty = loss.by_task.detach().clone(), loss.penalty.detach().clone()
        add_up([*gradients, *statistics, by_task, penalty], divide_by=self.count)
        return Loss(loss.tasks, by_task, penalty)

    @torch.no_grad()
    def clip(self, network: MultiTaskNetwork, most: float) -> None:
        """Shorten the gradient of all parameters together to a length, where it is longer.

        Args:
            network: its parameters have the gradients of the whole step.
            most: the length.
        """
        gradients = {}
        for parameter in network.parameters():
            if parameter.grad is not None:
                gradients[parameter] = _values_of_gradient(parameter)
        multiple = most / (self._length(gradients) + CLIPPED_BESIDE)
        for values in gradients.values():
            values.mul_(multiple.clamp(max=1.0).to(values))

    def _length(self, gradients: Mapping[nn.Parameter, Tensor]) -> Tensor:
        """Of all gradients together, ``()``."""
        return length_of(list(gradients.values()))

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the tasks of all processes, those left out whose value is nan: ``(T,)`` →
        ``()``.

        Every process gets the same number, bit by bit, so that all come to the same decision.
        """
        if self.count == 1:
            return values.nanmean()
        sum_and_count = torch.stack([values.nansum(), (~values.isnan()).sum()]).to(self._device)
        add_up([sum_and_count])
        return sum_and_count[0] / sum_and_count[1]


def length_of(tensors: Sequence[Tensor]) -> Tensor:
    """Of all numbers together, ``()``; 0 of none."""
    lengths = [torch.linalg.vector_norm(values) for values in tensors if values.numel()]
    return torch.linalg.vector_norm(torch.stack(lengths)) if lengths else torch.zeros(())


def add_up(tensors: Sequence[Tensor], *, divide_by: int = 1) -> None:
    """Replace tensors, which have the same shapes in all processes, by their sums over the
    processes, in one message.
    """
    message = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(message)
    message.div_(divide_by)
    sizes = [tensor.numel() for tensor in tensors]
    totals = message.split(sizes)
    for tensor, total in zip(tensors, totals, strict=True):
        tensor.copy_(total.view_as(tensor))


def _values_of_gradient(parameter: nn.Parameter) -> Tensor:
    """The gradient, or the rows that a sparse one holds: the same tasks' in all processes, as the
    examples of every task are divided among them.
    """
    gradient = parameter.grad
    assert gradient is not None
    if not gradient.is_sparse:
        return gradient
    # Sorts the rows, and adds up those of a task that a step takes twice.
    joined = gradient.coalesce()
    parameter.grad = joined
    return joined.values()
