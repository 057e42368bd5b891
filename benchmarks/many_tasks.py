"""A step on 32 tasks of a few or of a million."""

from __future__ import annotations

from functools import partial
from itertools import cycle

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.steps import LEARNING_RATE, Training
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.tasks.task import Task
from softshare.training.fit import parameter_groups
from softshare.training.lazy_adam import LazyAdam

IN_STEP, BATCH, N_INPUTS, HIDDEN, RANK = 32, 8, 32, 32, 8

WITHIN = 1 / 1.5

CHOICES = 50
"""Steps of different tasks, taken in turns: rows used a moment ago would still lie in the
processor's cache.
"""


def cases() -> list[Case]:
    """Every number of tasks beside a thousand."""
    return [
        Case(
            "many tasks",
            f"MLP {N_INPUTS}-{HIDDEN}-1, LAF {RANK}, T = {n_tasks:,}, "
            f"{min(n_tasks, IN_STEP)} tasks a step",
            "the same with T = 1,000",
            partial(_steps, n_tasks),
            WITHIN if n_tasks == 1_000_000 else None,
            WITHIN if n_tasks == 1_000_000 else None,
        )
        for n_tasks in (10, 100, 10_000, 100_000, 1_000_000)
    ]


def _steps(n_tasks: int, device: torch.device) -> tuple[Training, Training]:
    return _step(n_tasks, device), _step(1_000, device)


def _network(n_tasks: int) -> MultiTaskNetwork:
    tasks = [Task(str(number), "binary") for number in range(n_tasks)]
    sharing = LastAxisFlattening(rank=min(RANK, n_tasks))
    return MultiTaskNetwork(
        mlp((N_INPUTS,), 1, hidden=(HIDDEN,)), tasks, sharing=sharing, sparse_rows=True
    )


def _step(n_tasks: int, device: torch.device) -> Training:
    network = _network(n_tasks).to(device)
    generator = torch.Generator().manual_seed(0)
    chosen = [
        torch.randperm(n_tasks, generator=generator)[:IN_STEP].to(device) for _ in range(CHOICES)
    ]
    turns = cycle(chosen)
    n_chosen = len(chosen[0])
    inputs, targets = (
        torch.randn(n_chosen, BATCH, N_INPUTS, device=device),
        torch.ones(n_chosen, BATCH, device=device),
    )

    def loss() -> Tensor:
        outputs = network.run(inputs, tasks=next(turns))
        return (
            functional.binary_cross_entropy_with_logits(outputs[..., 0], targets, reduction="none")
            .mean(1)
            .sum()
        )

    return Training(loss, LazyAdam(parameter_groups(network, LEARNING_RATE, {})))
