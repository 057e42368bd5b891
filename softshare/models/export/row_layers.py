"""Layers of networks as modules of rows: a row's input and its task in, its output out."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from softshare.models.export.row_weights import ValuesOfRows
from softshare.sharing.base import SharedWeight
from softshare.sharing.layer_scales import LayerScales


class ChainOfRows(nn.Module):
    """Layers one after the other.

    Args:
        layers: modules of rows.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """Layer by layer."""
        for layer in self.layers:
            x = layer(x, places)
        return x


class SameForAll(nn.Module):
    """A layer without parameters.

    Args:
        layer: the same for all tasks.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, *)`` → ``(N, *)``."""
        y: Tensor = self.layer(x)
        return y


class OnBaseOfRows(nn.Module):
    """A chain whose outputs are added to the last inputs.

    Args:
        chain: of rows.
        n_outputs: how many inputs these are.
    """

    def __init__(
        self,
        chain: nn.Module,
        n_outputs: int,
    ) -> None:
        super().__init__()
        self.chain = chain
        self.n_outputs = n_outputs

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, D + n_outputs)`` → ``(N, n_outputs)``."""
        features = x[:, : -self.n_outputs]
        base = x[:, -self.n_outputs :]
        y: Tensor = self.chain(features, places)
        return y + base


class OrderingOfRows(nn.Module):
    """Layers that every row applies by its own task's scales.

    Args:
        layers: modules of rows.
        activation: after each.
        scales: what makes scales of a task's logits.
        logits: of all tasks.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        activation: nn.Module,
        scales: LayerScales,
        logits: SharedWeight,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.activation = activation
        self.scales = copy.deepcopy(scales)
        self.logits = ValuesOfRows(logits, tuple(scales.weight.shape))

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, width)`` → ``(N, width)``."""
        scales = self.scales.scales(self.logits(x, places))  # (N, depth, layers)
        for here in scales.unbind(1):
            mixed = torch.zeros_like(x)
            for layer, scale in zip(
                self.layers,
                here.unbind(1),
                strict=True,
            ):
                y = self.activation(layer(x, places))
                mixed = mixed + scale[:, None] * y
            x = mixed
        return x
