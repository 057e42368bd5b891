"""Examples of several tasks side by side, as a step is given them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.task_set import TaskSet, take

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""Changes inputs ``(n, *shape)`` at random, all randomness from the generator; the shape may
change, the same for all.
"""


@dataclass(frozen=True)
class Batch:
    """Examples of ``k`` tasks whose inputs have one form, ``B`` each.

    Args:
        tasks: the tasks' numbers ``(k,)``; a task drawn several times stands there several times,
            with other examples.
        inputs: ``(k, B, *shape)``, or ``(B, *shape)`` where ``one_input``: the same rows for all of
            them.
        targets: ``(k, B)``; where a label is missing, any number.
        present: ``(k, B)``, False where a label is missing; None when none is.
        one_input: whether all tasks see the same rows.
        divisors: what each task's sum of losses is divided by, ``(k,)``, where these are part of a
            larger batch; the number of its labels here when None.
        first_row: which of the larger batch's rows the first one here is.
        weights: what each example's loss is multiplied by, ``(k, B)``, of mean 1 over all of a
            task's examples; None: by 1.
    """

    tasks: Tensor
    inputs: Tensor
    targets: Tensor
    present: Tensor | None = None
    one_input: bool = False
    divisors: Tensor | None = None
    first_row: int = 0
    weights: Tensor | None = None

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> Batch:
        """The batch on a device.

        Args:
            device: where the network is.
            dtype: of its parameters. Inputs get it unless they are whole numbers; targets only
                where it is the finer one, as half precision cannot tell many classes apart. None
                changes nothing.
        """
        inputs, targets = self.inputs, self.targets
        if dtype is not None:
            inputs = inputs.to(dtype) if inputs.is_floating_point() else inputs
            targets = targets.to(torch.promote_types(targets.dtype, dtype))
        present = None if self.present is None else self.present.to(device)
        divisors = None if self.divisors is None else self.divisors.to(device)
        weights = None if self.weights is None else self.weights.to(device, targets.dtype)
        return Batch(
            self.tasks.to(device),
            inputs.to(device),
            targets.to(device),
            present,
            self.one_input,
            divisors,
            self.first_row,
            weights,
        )


@dataclass(frozen=True)
class Plan:
    """One step's number, its tasks ``(k,)``, and the numbers of their examples ``(k, B)``, or of
    the rows ``(1, B)`` of all.
    """

    step: int
    tasks: np.ndarray
    examples: np.ndarray


class SameRows:
    """Batches of tasks on one input that all take the same rows of it."""

    def __init__(self, tasks: TaskSet) -> None:
        self._source = tasks.sources[tasks.source_of[0]]
        self.rows, place = np.unique(tasks.rows, return_inverse=True)
        targets = np.full((len(self.rows), len(tasks)), np.nan)
        targets[place, tasks.task_of] = tasks.targets
        self._targets = torch.from_numpy(targets).to(torch.get_default_dtype())
        self._complete = not bool(self._targets.isnan().any())
        self._weights = None
        if tasks.loss_weights is not None:
            weights = np.zeros_like(targets)
            weights[place, tasks.task_of] = tasks.loss_weights
            self._weights = torch.from_numpy(weights).to(torch.get_default_dtype())

    def read(self, plan: Plan) -> Batch:
        """The batch of one step."""
        tasks = torch.from_numpy(plan.tasks)
        places = torch.from_numpy(plan.examples), tasks[:, None]
        targets = self._targets[places]
        present = None if self._complete else ~targets.isnan()
        return Batch(
            tasks,
            take(self._source, self.rows[plan.examples[0]]),
            targets.nan_to_num(),
            present,
            one_input=True,
            weights=None if self._weights is None else self._weights[places],
        )


def own_rows(tasks: TaskSet, plan: Plan) -> tuple[Batch, ...]:
    """The batches of one step whose tasks each take their own rows, the tasks of one source
    together.
    """
    sources = tasks.source_of[plan.tasks]
    groups = (
        [slice(None)]
        if (sources == sources[0]).all()
        else [np.flatnonzero(sources == source) for source in np.unique(sources)]
    )
    batches = []
    for group in groups:
        members = plan.tasks[group]
        entries = tasks.offsets[members][:, None] + plan.examples[group]
        inputs = take(tasks.sources[tasks.source_of[members[0]]], tasks.rows[entries.ravel()])
        targets = torch.from_numpy(tasks.targets[entries]).to(torch.get_default_dtype())
        batches.append(
            Batch(
                torch.from_numpy(members),
                inputs.reshape(*entries.shape, *inputs.shape[1:]),
                targets,
                weights=weights_at(tasks, entries),
            )
        )
    return tuple(batches)


def weights_at(tasks: TaskSet, entries: np.ndarray) -> Tensor | None:
    """What the losses of these entries are multiplied by, of their shape, or None: by 1."""
    if tasks.loss_weights is None:
        return None
    return torch.from_numpy(tasks.loss_weights[entries]).to(torch.get_default_dtype())


def augmented(
    batch: Batch,
    augment: Augment,
    generator: torch.Generator,
) -> Batch:
    """The batch with its inputs changed at random."""
    if batch.one_input:
        return replace(batch, inputs=augment(batch.inputs, generator))
    return replace(
        batch,
        inputs=augment(batch.inputs.flatten(0, 1), generator).unflatten(0, batch.targets.shape),
    )
