"""Training by processes of which each keeps some of the tasks, see
:mod:`softshare.training.sharded`.
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
from softshare.training.distributed import Processes, add_up, length_of
from softshare.training.objective import Loss
from softshare.training.sharded import ShardedNetwork


class TaskProcesses(Processes):
    """Processes that each train the tasks they keep, and together what these share.

    Args:
        network: this process's part.
        train: the training examples of all tasks.
    """

    def __init__(self, network: ShardedNetwork, train: TaskSet) -> None:
        super().__init__(next(network.parameters()).device)
        self._names, self._n_tasks_in_all = (
            {task.name for task in network.tasks},
            network.n_tasks_in_all,
        )
        numbers = self._numbers(train)
        self._is_own = torch.zeros(len(train), dtype=torch.bool)
        self._place = torch.zeros(len(train), dtype=torch.long)
        self._is_own[numbers], self._place[numbers] = True, torch.arange(len(numbers))
        self._shared: list[nn.Parameter] = []
        self._own: list[
            tuple[nn.Parameter, bool]
        ] = []  # with whether gradients hold only the rows of a step's tasks
        for weight in network.shared_weights.values():
            own, sparse = weight.task_parameters(), weight.sparse_parameters()
            trained = {
                name: parameter
                for name, parameter in weight.named_parameters()
                if parameter.requires_grad
            }
            self._shared += [parameter for name, parameter in trained.items() if name not in own]
            self._own += [
                (parameter, name in sparse) for name, parameter in trained.items() if name in own
            ]

    def begin(self, network: MultiTaskNetwork) -> None:
        """Give all processes the first one's values of what they share."""
        assert isinstance(network, ShardedNetwork)
        if self.count > 1:
            for value in network.shared_state():
                dist.broadcast(value, src=0)

    def own(self, tasks: TaskSet) -> TaskSet:
        """Those of the tasks that this process keeps.

        Raises:
            ValueError: some of the tasks are missing.
        """
        return tasks.keep_tasks(self._numbers(tasks))

    def _numbers(self, tasks: TaskSet) -> list[int]:
        if len(tasks) != self._n_tasks_in_all:
            raise ValueError(
                f"the examples are of {len(tasks)} tasks, all processes together have "
                f"{self._n_tasks_in_all}; give every process "
                "the examples of all tasks, of which it takes its own"
            )
        return [number for number, task in enumerate(tasks.tasks) if task.name in self._names]

    def share(self, batches: Sequence[Batch]) -> list[Batch]:
        """This process's share of a step: the tasks that it keeps, by their numbers among them;
        none where the step has none.
        """
        parts = [self._share(batch) for batch in batches]
        return [part for part in parts if len(part.tasks)]

    def _share(self, batch: Batch) -> Batch:
        own = self._is_own[batch.tasks]
        return replace(
            batch,
            tasks=self._place[batch.tasks[own]],
            inputs=batch.inputs if batch.one_input else batch.inputs[own],
            targets=batch.targets[own],
            present=None if batch.present is None else batch.present[own],
            weights=None if batch.weights is None else batch.weights[own],
        )

    @torch.no_grad()
    def combine(self, network: MultiTaskNetwork, loss: Loss, batches: Sequence[Batch]) -> Loss:
        """Add up the gradients of what is shared, and bring the tasks' losses together.

        A process that has no task in the step gets the gradients it would have among all tasks:
        zeros, or no rows.
        """
        for parameter in self._shared:
            parameter.grad = (
                torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            )
        if not len(loss.tasks):
            for parameter, sparse_rows in self._own:
                parameter.grad = _no_rows(parameter) if sparse_rows else torch.zeros_like(parameter)
        tasks = torch.cat([batch.tasks for batch in batches])
        by_task = torch.zeros(len(tasks), device=loss.by_task.device)
        by_task[self._is_own[tasks]] = loss.by_task.to(by_task.dtype)
        if self.count > 1:
            add_up(
                [
                    *(parameter.grad for parameter in self._shared if parameter.grad is not None),
                    by_task,
                ]
            )
        return Loss(tasks, by_task, loss.penalty)

    def _length(self, gradients: Mapping[nn.Parameter, Tensor]) -> Tensor:
        """What is shared counts once, what the tasks have of their own in every process."""
        if self.count == 1:
            return super()._length(gradients)
        shared = set(self._shared)
        common: list[Tensor] = []
        own: list[Tensor] = []
        for parameter, values in gradients.items():
            (common if parameter in shared else own).append(values)
        of_own = length_of(own).square().to(next(iter(gradients.values())))
        add_up([of_own])
        return (of_own + length_of(common).square().to(of_own)).sqrt()


def processes_for(network: MultiTaskNetwork, train: TaskSet) -> Processes:
    """The processes that train a network, and how they divide the work: by tasks where each keeps
    its own, else by examples.
    """
    return (
        TaskProcesses(network, train)
        if isinstance(network, ShardedNetwork)
        else Processes(next(network.parameters()).device)
    )


def _no_rows(parameter: Tensor) -> Tensor:
    none = torch.empty(1, 0, dtype=torch.long, device=parameter.device)
    return torch.sparse_coo_tensor(
        none, parameter.detach()[:0], parameter.shape, check_invariants=False
    )
