"""A network that adds to what a simpler model says."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from softshare.network.templates.standard import TemplateFactory

START = 0.1
"""Of the output layer's usual initial weights: the network begins near the model that it stands on,
and yet gradients reach all its layers, products of factors included.
"""


class OnBase(nn.Sequential):
    """A chain of layers whose output is added to another model's, which comes as the last inputs.

    Its layers have the names that they have in the chain.

    Args:
        network: the chain.
        n_outputs: how many of the last inputs are the other model's outputs.

    Shape:
        ``(B, D + n_outputs)`` → ``(B, n_outputs)``.
    """

    def __init__(self, network: nn.Sequential, n_outputs: int) -> None:
        super().__init__(OrderedDict(network.named_children()))
        self.n_outputs = n_outputs

    def forward(self, x: Tensor) -> Tensor:
        """The chain's outputs on the first inputs, and the last ones."""
        features, base = x[..., : -self.n_outputs], x[..., -self.n_outputs :]
        return super().forward(features) + base


def on_base(template: TemplateFactory) -> TemplateFactory:
    """The template of networks that stand on another model's outputs.

    Raises:
        TypeError: when it is used, where the template makes no chain of layers.
    """

    def make(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
        (n_inputs,) = input_shape
        network = template((n_inputs - n_outputs,), n_outputs)
        if not isinstance(network, nn.Sequential):
            kind = type(network).__name__
            raise TypeError(f"template: only an nn.Sequential can stand on a base, got {kind}")
        output = network[-1]
        with torch.no_grad():
            for parameter in output.parameters():
                parameter.mul_(START)
        return OnBase(network, n_outputs)

    return make
