"""What a network has to show of its tasks, now and with one scale changed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from softshare.network.execution.task_module import TaskModule
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.diagnostic import Diagnostic
from softshare.sharing.layer_scales import LayerScales
from softshare.tasks.task import TaskName


@torch.no_grad()
def diagnostics(network: MultiTaskNetwork) -> dict[str, list[Diagnostic]]:
    """All that the template's modules say of their tasks: module name → its diagnostics."""
    layers = {
        name: layer
        for name, layer in network.bodies[0].named_modules()
        if isinstance(layer, TaskModule)
    }
    found = {name: layer.diagnostics() for name, layer in layers.items()}
    return {name: own for name, own in found.items() if own}


@torch.no_grad()
def sweep_scale(
    network: MultiTaskNetwork,
    task: TaskName,
    inputs: Tensor,
    *,
    depth: int,
    layer: int,
    values: Sequence[float],
) -> Tensor:
    """One task's outputs as one of its scales takes value after value (Meyerson and Miikkulainen
    2018, section 5).

    The task's other logits stay as they are: with sigmoid scales nothing else changes, with softmax
    the other scales at this depth share what is left in the proportions they had. The network is
    not changed.

    Args:
        network: of a template with one :class:`~softshare.SoftOrdering`.
        task: the task's name.
        inputs: its rows, ``(B, *input)``.
        depth: where the scale stands, counted from 0.
        layer: of which layer, counted from 0.
        values: in [0, 1].

    Returns:
        ``(len(values), B, n_outputs)``.

    Raises:
        ValueError: the template has not exactly one ordering, or there is no such scale.
        KeyError: there is no such task.
    """
    module = network.task(task)
    scales = [part for part in module.modules() if isinstance(part, LayerScales)]
    if len(scales) != 1:
        raise ValueError(f"sweep_scale needs a template with one SoftOrdering, found {len(scales)}")
    outputs = []
    for value in values:
        scales[0].set_scale(depth, layer, value)
        outputs.append(module(inputs))
    return torch.stack(outputs)
