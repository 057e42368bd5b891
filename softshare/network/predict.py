"""All tasks' outputs on all their examples."""

from __future__ import annotations

from math import prod

import numpy as np
import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task_set import TaskSet, take

ROWS_AT_ONCE = 512
"""Rows of a task that go through the network in one pass."""

FEW_ROWS, NUMBERS_AT_ONCE = 32, 1 << 23
"""With large inputs fewer rows, but no fewer than these: as many as hold so many numbers, all tasks together."""


@torch.no_grad()
def predict(network: MultiTaskNetwork, tasks: TaskSet) -> list[Tensor]:
    """Every task's outputs on its examples, in the order of its entries.

    Args:
        network: it is run in evaluation mode and left in the mode it was in.
        tasks: the examples of the network's tasks, or of some of them.

    Returns:
        For every task ``(N_t, n_outputs_t)``, on the CPU.
    """
    was_training = network.training
    network.eval()
    try:
        outputs = _on_same_rows(network, tasks) if tasks.one_input else _on_own_rows(network, tasks)
    finally:
        network.train(was_training)
    return [rows[:, : task.n_outputs] for rows, task in zip(outputs, tasks.tasks, strict=True)]


def _on_same_rows(network: MultiTaskNetwork, tasks: TaskSet) -> list[Tensor]:
    """Every row once for all tasks; then each task picks its own."""
    rows, place = np.unique(tasks.rows, return_inverse=True)
    device = next(network.parameters()).device
    numbers = network.numbers(tasks.tasks).to(device)
    parts = [network.run(take(tasks.sources[0], chunk).to(device), tasks=numbers, one_input=True).cpu() for chunk in _chunks(rows)]
    joint = torch.cat(parts, dim=1) if parts else torch.empty(len(tasks), 0, max(task.n_outputs for task in tasks.tasks))
    return [joint[number, torch.from_numpy(place[tasks.entries(number)])] for number in range(len(tasks))]


def _on_own_rows(network: MultiTaskNetwork, tasks: TaskSet) -> list[Tensor]:
    """Chunk after chunk, each over the tasks that still have rows, short ones filled up with their first row."""
    device = next(network.parameters()).device
    numbers = network.numbers(tasks.tasks).to(device)
    parts: list[list[Tensor]] = [[] for _ in tasks.tasks]
    sizes = tasks.n_examples
    for source in np.unique(tasks.source_of):
        members = np.flatnonzero(tasks.source_of == source)
        fitting = NUMBERS_AT_ONCE // (len(members) * prod(tasks.input_shape(members[0])))
        at_once = min(ROWS_AT_ONCE, max(FEW_ROWS, fitting))
        for begin in range(0, int(sizes[members].max(initial=0)), at_once):
            active = members[sizes[members] > begin]
            counts = np.minimum(sizes[active] - begin, at_once)
            within = np.arange(counts.max())
            entries = tasks.offsets[active][:, None] + begin + np.where(within < counts[:, None], within, 0)
            inputs = take(tasks.sources[source], tasks.rows[entries.ravel()]).to(device)
            joint = network.run(inputs.unflatten(0, entries.shape), tasks=numbers[torch.from_numpy(active).to(device)]).cpu()
            for number, count, outputs in zip(active, counts, joint, strict=True):
                parts[number].append(outputs[:count])
    width = max(task.n_outputs for task in tasks.tasks)
    return [torch.cat(own) if own else torch.empty(0, width) for own in parts]


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[begin : begin + ROWS_AT_ONCE] for begin in range(0, len(rows), ROWS_AT_ONCE)]
