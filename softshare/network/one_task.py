"""One task's network as a plain module."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from softshare.network.execution.hooks import has_hooks
from softshare.network.execution.task_module import TaskModule
from softshare.network.layers import parameters_of
from softshare.sharing.base import SharedWeight


@torch.no_grad()
def plain_module(
    template: nn.Module,
    weights: Mapping[str, SharedWeight],
    body: nn.Module,
    number: int,
) -> nn.Module:
    """A copy of the template with one task's parameters and running statistics.

    Args:
        template: the task's.
        weights: the shared weight behind every parameter, by the parameter's full name.
        body: the template as it runs in all tasks.
        number: the task's place on the task axis.
    """
    module = copy.deepcopy(template)
    state = {}
    for path, parameter in parameters_of(module).items():
        value = weights[path].of(number)
        state[path] = parameter.to_torch(value).detach().clone()
    example = next(iter(state.values()))
    module.to(example.device, example.dtype)
    module.load_state_dict(state, strict=False)  # the buffers follow
    for prefix, layer in body.named_modules():
        if not isinstance(layer, TaskModule):
            continue
        own = module.get_submodule(prefix)
        for path, value in layer.buffers_of(number).items():
            own.get_buffer(path).copy_(value)
    return module


class OwnUnits:
    """A forward hook that turns a network's outputs into the target's own units.

    Args:
        mean: of the training targets.
        deviation: their standard deviation.
    """

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean, self.deviation = mean, deviation

    def __call__(self, module: nn.Module, inputs: Any, outputs: Tensor) -> Tensor:
        """``(B, 1)`` in standard deviations → ``(B, 1)`` in the target's units."""
        return outputs * self.deviation + self.mean


@torch.no_grad()
def put_in_own_units(module: nn.Module, mean: float, deviation: float) -> None:
    """Make a network that predicts ``(y − mean) / deviation`` predict ``y``.

    An affine output layer takes the scaling into its weights, where every export and every state
    has it; other networks get a forward hook.

    Args:
        module: one task's network; changed in place.
        mean: of the training targets.
        deviation: their standard deviation.
    """
    last = _output_layer(module)
    if last is None:
        module.register_forward_hook(OwnUnits(mean, deviation))
        return
    # deviation · (W x + b) + mean = (deviation W) x + (deviation b + mean)
    last.weight.mul_(deviation)
    bias: Tensor | None = last.bias
    if bias is None:
        last.bias = nn.Parameter(last.weight.new_full((last.out_features,), mean))
    else:
        bias.mul_(deviation).add_(mean)


def _output_layer(module: nn.Module) -> nn.Linear | None:
    """The affine layer whose outputs are the network's, where a chain of layers ends with one."""
    whole, last = module, module
    while type(last).forward is nn.Sequential.forward and len(list(last.children())):
        last = list(last.children())[-1]
    if type(last) is not nn.Linear or has_hooks(last):
        return None
    # A layer that stands in two places must not be scaled in both.
    places = [name for name, part in whole.named_modules(remove_duplicate=False) if part is last]
    return last if len(places) == 1 else None
