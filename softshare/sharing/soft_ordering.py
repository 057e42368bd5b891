"""Soft layer ordering: the tasks share layers, and each task learns how much of which layer it
applies at which depth.

Meyerson and Miikkulainen (2018), "Beyond Shared Hierarchies: Deep Multitask Learning through Soft
Layer Ordering".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from softshare.sharing.elementwise import is_elementwise
from softshare.sharing.layer_scales import Gate, LayerScales

Layer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
"""Layers whose widths are known."""


class SoftOrdering(nn.Module):
    """D layers of one shape, applied again and again: ``y_k = Σ_j s_jk φ(W_j y_{k−1})`` (equation
    7).

    A plain module, to stand in any template. In a :class:`~softshare.MultiTaskNetwork` the scales
    ``s`` are each task's own unless a pattern names them, whatever shares the layers. Fixed orders
    are scales of 0 and 1: :class:`~softshare.FixedOrder`.

    Args:
        layers: the D layers; outputs must have the inputs' width. See :func:`adapted` for layers of
            other widths.
        depth: how often they are applied; D when None.
        activation: φ, which may pool as well. Pooling before a monotone activation is the cheaper
            order.
        dropout: probability after each depth.
        gate: see :class:`LayerScales`.

    Raises:
        ValueError: there is no layer, or a layer's input and output differ in width from the
            others'.

    Shape:
        ``(B, *)`` → ``(B, *)``, as the layers and φ leave it.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        *,
        depth: int | None = None,
        activation: nn.Module | None = None,
        dropout: float = 0.0,
        gate: Gate = "softmax",
    ) -> None:
        super().__init__()
        depth = len(layers) if depth is None else depth
        _check(layers, depth)
        self.layers = nn.ModuleList(layers)
        self.activation = nn.ReLU() if activation is None else activation
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.scales = LayerScales(depth, len(layers), gate=gate)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        scales = self.scales(
            x
        )  # (k, depth, D): the rows lie in k blocks of equal length, each with scales of its own
        affine = (
            _stacked(
                self.layers,
                rows=x.numel() // x.shape[-1] * scales.shape[1],
            )
            if is_elementwise(self.activation)
            else None
        )
        for here, used in zip(scales.unbind(1), _used(scales), strict=True):
            x = (
                self._mix(x, here, used)
                if affine is None or not all(used)
                else self._mix_at_once(x, here, *affine)
            )
            x = x if self.dropout is None else self.dropout(x)
        return x

    def _mix_at_once(
        self,
        x: Tensor,
        scales: Tensor,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        """One depth with all layers in one batched product: ``(B, *)`` and scales ``(k, D)`` →
        ``(B, *)``.
        """
        rows = x.flatten(0, -2).expand(len(weight), -1, -1)
        y = self.activation(
            torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias, rows, weight)
        )
        blocks = y.view(len(weight), len(scales), -1).transpose(0, 1)
        return torch.bmm(scales.unsqueeze(1), blocks).view_as(x)

    def _mix(
        self,
        x: Tensor,
        scales: Tensor,
        used: Sequence[bool],
    ) -> Tensor:
        """One depth, layer by layer: ``(B, *)`` and scales ``(k, D)`` → ``(B, *)``."""
        n_rows = x.shape[0] // len(scales)  # len(x) would make it a constant of an exported graph
        by_row = scales.unsqueeze(1).expand(-1, n_rows, -1).flatten(0, 1)
        terms = [
            (self.activation(layer(x)), scale)
            for layer, scale, needed in zip(self.layers, by_row.unbind(1), used, strict=True)
            if needed
        ]
        return _weighted_sum(terms)


def _stacked(
    layers: Iterable[nn.Module],
    *,
    rows: int,
) -> tuple[Tensor, Tensor | None] | None:
    """Weights ``(D, in, out)`` and biases ``(D, 1, out)`` of affine layers that all rows go through
    alike; None for any others.

    A layer in many tasks says by ``affine(rows)`` whether it is one of these; ``rows`` is how many
    it will be applied to.
    """
    found = [
        (layer.weight.T, layer.bias) if type(layer) is nn.Linear else _affine(layer, rows)
        for layer in layers
    ]
    if any(values is None for values in found):
        return None
    weights, biases = zip(*(values for values in found if values is not None), strict=True)
    if all(bias is None for bias in biases):
        return torch.stack(weights), None
    return (
        None
        if any(bias is None for bias in biases)
        else (torch.stack(weights), torch.stack(biases).unsqueeze(1))
    )


def _affine(
    layer: nn.Module,
    rows: int,
) -> tuple[Tensor, Tensor | None] | None:
    affine = getattr(layer, "affine", None)
    return affine(rows) if callable(affine) else None


def adapted(
    layer: Layer,
    width: int,
    *,
    activation: nn.Module | None = None,
) -> nn.Module:
    """A layer of any width as one from ``width`` to ``width``: adapters before and after it where
    they are needed.

    The activation stands between the layer and the adapter after it: without one, the two would be
    one linear map.

    Args:
        layer: an affine or a convolutional layer.
        width: features or channels of the core; the adapters are affine, or convolutions of window
            1.
        activation: the layer's own; ReLU when None.

    Raises:
        ValueError: the layer is of another kind.
    """
    if not isinstance(layer, Layer):
        raise ValueError(
            "adapted: layer must be an nn.Linear, nn.Conv1d, nn.Conv2d or nn.Conv3d, got "
            f"{type(layer).__name__}"
        )
    before, after = _widths(layer)
    parts: OrderedDict[str, nn.Module] = OrderedDict()

    def adapter(n_in: int, n_out: int) -> nn.Module:
        kind = next(
            (kind for kind in (nn.Conv1d, nn.Conv2d, nn.Conv3d) if isinstance(layer, kind)), None
        )
        return nn.Linear(n_in, n_out) if kind is None else kind(n_in, n_out, 1)

    if before != width:
        parts["before"] = adapter(width, before)
    parts["layer"] = layer
    if after != width:
        parts |= {
            "activation": nn.ReLU() if activation is None else activation,
            "after": adapter(after, width),
        }
    return nn.Sequential(parts)


def _used(scales: Tensor) -> list[list[bool]]:
    """At which depth any rows use which layer, ``(k, depth, D)`` → depth × D: a fixed order runs
    only those.

    Scales that are learned, or traced into a graph, always use all; where all are 0, one layer runs
    for the shape of its outputs.
    """
    if scales.requires_grad or torch.compiler.is_compiling():
        return [[True] * scales.shape[2]] * scales.shape[1]
    used: list[list[bool]] = scales.any(0).tolist()
    return [row if any(row) else [True, *row[1:]] for row in used]


def _weighted_sum(terms: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """``Σ_j s_j y_j`` for terms ``y_j (B, *)`` and their scales ``s_j (B,)``."""
    total, *rest = [(y, scale.reshape(-1, *[1] * (y.ndim - 1))) for y, scale in terms]
    mixed = total[0] * total[1]
    for y, scale in rest:
        mixed = torch.addcmul(mixed, scale, y)
    return mixed


def _widths(layer: Layer) -> tuple[int, int]:
    return (
        (layer.in_features, layer.out_features)
        if isinstance(layer, nn.Linear)
        else (layer.in_channels, layer.out_channels)
    )


def _check(layers: Sequence[nn.Module], depth: int) -> None:
    if not layers or depth < 1:
        raise ValueError(
            "SoftOrdering: there must be at least one layer and depth 1, got "
            f"{len(layers)} layers, depth={depth}"
        )
    widths = {
        number: _widths(layer) for number, layer in enumerate(layers) if isinstance(layer, Layer)
    }
    if len({width for pair in widths.values() for width in pair}) > 1:
        raise ValueError(
            f"SoftOrdering: every layer must map one width to the same width, got {widths} "
            "(layer → in, out); "
            "wrap the others in ss.adapted(layer, width)"
        )
