"""What trained networks make of their inputs before the output layer, as new inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.sources import Source
from softshare.tasks.task_set import TaskSet

ROWS_AT_ONCE = 256


def penultimate_features(network: MultiTaskNetwork, tasks: TaskSet) -> TaskSet:
    """The same examples with what each task's network hands to its output layer, as vectors.

    Such are the features on which linear methods are compared with deep ones. Give it the training
    part and the others of a split one by one, all with the same network; examples are in the order
    of the task's entries.

    Args:
        network: it runs in evaluation mode; its output layer is its last one with a weight.
        tasks: examples of the network's tasks, or of some of them, prepared as those that it was
            trained on.

    Raises:
        KeyError: the network has not learned one of the tasks.

    Shape:
        inputs of every task become ``(N_t, features)``, a source of its own.
    """
    sources: list[Source] = []
    rows = []
    for number, task in enumerate(tasks.tasks):
        inputs, _ = tasks.examples(number)
        module = network.task(task.name)
        features = _before_output(module, inputs)
        sources.append(features)
        rows.append(np.arange(len(features)))
    return replace(
        tasks,
        sources=tuple(sources),
        source_of=np.arange(len(tasks)),
        rows=np.concatenate(rows),
        one_input=False,
        groups=(),
        parts=(),
        preprocessing=(None,) * len(tasks),
        row_numbers=(),
        table=None,
    )


@torch.no_grad()
def _before_output(module: nn.Module, inputs: Tensor) -> Tensor:
    """What reaches the output layer, ``(N, *shape)`` → ``(N, features)``."""
    seen: list[Tensor] = []

    def keep(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        seen.append(arguments[0].flatten(1).cpu())

    handle = _output_layer(module).register_forward_pre_hook(keep)
    device = next(module.parameters()).device
    try:
        for rows in inputs.split(ROWS_AT_ONCE):
            module(rows.to(device))
    finally:
        handle.remove()
    return torch.cat(seen).float()


def _output_layer(module: nn.Module) -> nn.Module:
    """The last module with a weight of its own."""
    last = module
    for layer in module.modules():
        own = layer.parameters(recurse=False)
        if any(value.ndim >= 2 for value in own):
            last = layer
    return last
