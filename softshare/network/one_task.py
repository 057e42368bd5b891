"""One task's network as a plain module."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from softshare.network.execution.hooks import has_hooks


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
