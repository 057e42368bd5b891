"""The tasks divided among processes, where the tasks' own parameters are too many for one GPU.

Every process keeps the rows of a block of the tasks (of the task factors, heads and biases, and
with them the optimizer's state) and trains them on these tasks' examples; what all tasks share is
kept equal by adding up its gradients. The results are those of one process, batch norm's too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn

from softshare.network.forms import forms_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.state import check_names, packed, unpacked
from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.base import SharedWeight, Sharing
from softshare.sharing.grid import TaskGrid
from softshare.sharing.random_streams import RandomStreams
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.distributed import Processes


class ShardedNetwork(MultiTaskNetwork):
    """This process's part of a network: all that the tasks share, and what is their own of a block
    of the tasks.

    With four processes the first has the first quarter of the tasks, and so on. ``network.tasks``
    are this process's, and whatever a network can do it does for these. It starts with the values
    that a network of all tasks starts with.

    Args:
        template: see :class:`~softshare.MultiTaskNetwork`.
        tasks: all tasks, the same in every process.
        sharing: see :class:`~softshare.MultiTaskNetwork`; no sharing whose penalty joins all tasks'
            weights.
        seed: of the random start, the same in every process.
        sparse_rows: see :class:`~softshare.MultiTaskNetwork`.

    Raises:
        ValueError: there are fewer tasks than processes, tasks differ in the form of their inputs
            or outputs or stand on a grid of factors, or a sharing's penalty needs all tasks'
            weights.
    """

    def __init__(
        self,
        template: nn.Module | TemplateFactory,
        tasks: TaskSet | Sequence[Task],
        *,
        sharing: Sharing | Mapping[str, Sharing] | None = None,
        seed: int = 0,
        sparse_rows: bool = False,
    ) -> None:
        everyone = tasks.tasks if isinstance(tasks, TaskSet) else tuple(tasks)
        scaling_of_all = tasks.target_scaling if isinstance(tasks, TaskSet) else None
        processes = Processes()
        _check_tasks(everyone, set(forms_of(template, tasks)), processes.count)
        self.n_tasks_in_all = len(everyone)
        self._everyone = everyone
        self._rank = processes.rank
        bounds = [len(everyone) * rank // processes.count for rank in range(processes.count + 1)]
        self._blocks = [slice(begin, end) for begin, end in pairwise(bounds)]
        block = self._blocks[self._rank]
        own = (
            tasks.keep_tasks(range(block.start, block.stop))
            if isinstance(tasks, TaskSet)
            else everyone[block]
        )
        super().__init__(template, own, sharing=sharing, seed=seed, sparse_rows=sparse_rows)
        self._scaling_of_all = scaling_of_all
        _check_weights(self.shared_weights)
        _check_start(self.shared_weights, self._kept)

    def whole_state(self) -> dict[str, Tensor] | None:
        """The state of the network of all tasks, which ``MultiTaskNetwork(…).load_state_dict``
        takes. Every process must call it.

        Returns:
            A copy of the state, on the CPU, in the first process; None in the others.
        """
        own = self._names_of_own()
        state = {"_extra_state": packed(self._everyone, self._scaling_of_all, self.preprocessing)}
        for name, value in self._numbers_in_state().items():
            parts = [
                part.cpu()
                for part in (self._blocks_of_rows(value) if name in own else [value])
                if self._rank == 0
            ]
            if parts:
                state[name] = torch.cat(parts) if name in own else parts[0].clone()
        return state if self._rank == 0 else None

    def load_whole_state(self, state: Mapping[str, Tensor]) -> None:
        """Take what is shared and these tasks' rows from the state of a network of all tasks."""
        beside = unpacked(state["_extra_state"])
        names, scaling = beside.names, beside.target_scaling
        check_names(names, self._everyone)
        own, block = self._names_of_own(), self._blocks[self._rank]
        part = {name: value[block] if name in own else value for name, value in state.items()}
        part["_extra_state"] = packed(
            self.tasks,
            None if scaling is None else scaling[block],
            beside.preprocessing,
        )
        self.load_state_dict(part)
        self._scaling_of_all = scaling

    def shared_state(self) -> list[Tensor]:
        """What all processes have alike, as :meth:`state_dict` gives it."""
        own = self._names_of_own()
        return [value for name, value in self._numbers_in_state().items() if name not in own]

    def _numbers_in_state(self) -> dict[str, Tensor]:
        """The state but for the tasks' names and units, of which each process has its own part."""
        return {name: value for name, value in self.state_dict().items() if name != "_extra_state"}

    def with_sharing(
        self,
        sharing: Sharing | Mapping[str, Sharing],
        *,
        examples: Sequence[float] | None = None,
    ) -> NoReturn:
        """Refused: to factorise trained weights takes all tasks' at once."""
        raise ValueError(
            "with_sharing: this process has only some of the tasks' weights; load "
            "whole_state() into a MultiTaskNetwork, share "
            "its weights otherwise, and give its state to load_whole_state of a "
            "ShardedNetwork of that sharing"
        )

    def add_task(self, new: TaskSet | Task) -> NoReturn:
        """Refused: a new task belongs to no process's block."""
        raise ValueError(
            "add_task: load whole_state() into a MultiTaskNetwork of all tasks and add the "
            "task there"
        )

    def _names_of_own(self) -> set[str]:
        """Names in the state of what has a row for each task: the tasks' own parameters, and their
        running statistics.
        """
        own = {
            f"weights.{self._keys[path]}.{name}"
            for path, weight in self.shared_weights.items()
            for name in weight.task_parameters()
        }
        return own | {f"bodies.{name}" for name, _ in self.bodies.named_buffers()}

    def _blocks_of_rows(self, rows: Tensor) -> Iterator[Tensor]:
        """All processes' rows, one block after the other."""
        for rank, block in enumerate(self._blocks):
            part = (
                rows
                if rank == self._rank
                else rows.new_empty(block.stop - block.start, *rows.shape[1:])
            )
            if len(self._blocks) > 1:
                dist.broadcast(part, src=rank)
            yield part

    def _streams(self) -> RandomStreams:
        return RandomStreams(
            self.seed,
            [task.name for task in self.tasks],
            everyone=[task.name for task in self._everyone],
        )


def _check_tasks(tasks: Sequence[Task], forms: set[Any], count: int) -> None:
    if len(tasks) < count:
        raise ValueError(
            f"tasks: {len(tasks)} cannot be divided among {count} processes; start fewer, "
            "or share examples (MultiTaskNetwork)"
        )
    if len(forms) > 1:
        raise ValueError(
            "tasks: to be divided they need inputs of one shape and one number of "
            f"outputs, found {sorted(forms)}; share their "
            "examples among the processes instead (MultiTaskNetwork), or divide the tasks "
            "of one form"
        )
    if TaskGrid.of([task.name for task in tasks]) is not None:
        raise ValueError(
            f"tasks: on a grid of factors, such as {tasks[0].name!r}, they have rows in "
            "common and cannot be divided; give them "
            "names that are no tuples, or share their examples among the processes "
            "(MultiTaskNetwork)"
        )


def _check_start(weights: Mapping[str, SharedWeight], kept: Collection[str]) -> None:
    """A factorisation of given values depends on all tasks, of which this process has some."""
    for path, weight in weights.items():  # in their order, so that the first one is named
        if path not in kept:
            continue
        own = weight.task_parameters()
        parameters = dict(weight.named_parameters())
        if 0 < len(own) < len(parameters):
            raise ValueError(
                f"layer {path.removesuffix('.weight')!r}: its given values would be factorised, "
                "for which this process has not all tasks' weights; make a MultiTaskNetwork of all "
                "tasks from the template and give its state to load_whole_state, or pass a "
                "template function that draws its weights"
            )


def _check_weights(weights: Mapping[str, SharedWeight]) -> None:
    for path, weight in weights.items():
        if weight.regularises or weight.updates:
            raise ValueError(
                f"layer {path.removesuffix('.weight')!r}: {type(weight).__name__} needs "
                "all tasks' weights in one place, so tasks cannot "
                "be divided; share their examples among the processes (MultiTaskNetwork), "
                "or factorise the layer (LastAxisFlattening, …)"
            )
