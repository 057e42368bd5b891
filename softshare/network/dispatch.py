"""What inputs are to a network's tasks: rows that all see, each task's own, or rows by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from softshare.tasks.task import TaskName

if TYPE_CHECKING:
    from softshare.network.multitask_network import MultiTaskNetwork


def run_by_name(
    network: MultiTaskNetwork,
    inputs: Mapping[TaskName, Tensor],
) -> dict[TaskName, Tensor]:
    """Tasks with as many rows of one shape run as one; the order is that of the inputs.

    Args:
        network: all the tasks' networks.
        inputs: task → ``(B_t, *input_t)``.

    Returns:
        Task → ``(B_t, n_outputs_t)``.

    Raises:
        KeyError: there is no such task.
    """
    # One template and one shape: these tasks' rows make one tensor.
    alike: dict[tuple[int, torch.Size], list[int]] = {}
    for name, rows in inputs.items():
        number = network.number(name)
        kind = network.bodies.groups[number], rows.shape
        alike.setdefault(kind, []).append(number)
    outputs: dict[TaskName, Tensor] = {}
    for members in alike.values():
        tasks = [network.tasks[number] for number in members]
        rows = torch.stack([inputs[task.name] for task in tasks])  # (k, B, *input)
        numbers = torch.tensor(members, device=rows.device)
        joint = network.run(rows, tasks=numbers)  # (k, B, widest)
        for task, own in zip(tasks, joint, strict=True):
            outputs[task.name] = own[..., : task.n_outputs]
    return {name: outputs[name] for name in inputs}


def is_one_input(network: MultiTaskNetwork, inputs: Tensor) -> bool:
    """Whether all tasks see these rows, by their shape.

    Raises:
        ValueError: the shape does not tell, or one tensor cannot hold these tasks' inputs.
    """
    widths = {task.n_outputs for task in network.tasks}
    if len(widths) > 1 or len(network.bodies) > 1:
        raise ValueError(
            "these tasks differ in inputs or outputs: pass a mapping from task name to inputs"
        )
    if network.input_shape:
        return is_of_one_task(inputs, network.input_shape)
    # A list of tasks tells no shape of one input.
    n_tasks = len(network.tasks)
    if inputs.ndim > 2 and len(inputs) == n_tasks:
        raise ValueError(
            f"inputs of shape {tuple(inputs.shape)} may be {n_tasks} rows that all "
            f"tasks see, or each of the {n_tasks} tasks' "
            "own: call run(inputs, one_input=True) or run(inputs), or make the network "
            "from a TaskSet, which tells the inputs' shape"
        )
    return True


def is_of_one_task(inputs: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether inputs have the dimensions of one task's rows, where a task set has told these."""
    return bool(shape) and inputs.ndim == len(shape) + 1
