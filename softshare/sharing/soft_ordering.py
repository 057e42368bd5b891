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
        # (k, depth, D): the rows lie in k blocks of equal length, each with scales of its own.
        scales = self.scales(x)
        affine = None
        if is_elementwise(self.activation):
            n_rows = x.numel() // x.shape[-1]
            affine = _stacked(self.layers, rows=n_rows * scales.shape[1])
        for here, used in zip(scales.unbind(1), _used(scales), strict=True):
            if affine is not None and all(used):
                x = self._mix_at_once(x, here, *affine)
            else:
                x = self._mix(x, here, used)
            if self.dropout is not None:
                x = self.dropout(x)
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
        n_layers = len(weight)
        n_blocks = len(scales)
        rows = x.flatten(0, -2).expand(n_layers, -1, -1)  # (D, B, in), every layer's the same
        affine = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias, rows, weight)
        y = self.activation(affine)  # (D, B, out)
        blocks = y.view(n_layers, n_blocks, -1).transpose(0, 1)  # (k, D, B/k · out)
        mixed = torch.bmm(scales.unsqueeze(1), blocks)  # (k, 1, B/k · out)
        return mixed.view_as(x)

    def _mix(
        self,
        x: Tensor,
        scales: Tensor,
        used: Sequence[bool],
    ) -> Tensor:
        """One depth, layer by layer: ``(B, *)`` and scales ``(k, D)`` → ``(B, *)``."""
        n_rows = x.shape[0] // len(scales)  # len(x) would make it a constant of an exported graph
        by_row = scales.unsqueeze(1).expand(-1, n_rows, -1).flatten(0, 1)  # (B, D)
        terms = []
        for layer, scale, needed in zip(self.layers, by_row.unbind(1), used, strict=True):
            if needed:
                y = self.activation(layer(x))
                terms.append((y, scale))
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
    weights = []
    biases = []
    for layer in layers:
        found = _affine(layer, rows)
        if found is None:
            return None
        weight, bias = found
        weights.append(weight)
        if bias is not None:
            biases.append(bias)
    if not biases:
        return torch.stack(weights), None
    if len(biases) < len(weights):
        return None
    return torch.stack(weights), torch.stack(biases).unsqueeze(1)


def _affine(
    layer: nn.Module,
    rows: int,
) -> tuple[Tensor, Tensor | None] | None:
    """The weight ``(in, out)`` and the bias of an affine layer; None for any other."""
    if type(layer) is nn.Linear:
        return layer.weight.T, layer.bias
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
    if before != width:
        parts["before"] = _adapter(layer, width, before)
    parts["layer"] = layer
    if after != width:
        parts["activation"] = nn.ReLU() if activation is None else activation
        parts["after"] = _adapter(layer, after, width)
    return nn.Sequential(parts)


def _adapter(
    layer: Layer,
    n_in: int,
    n_out: int,
) -> nn.Module:
    """An affine map of the layer's kind: of features, or of the channels at each place."""
    for convolution in (nn.Conv1d, nn.Conv2d, nn.Conv3d):
        if isinstance(layer, convolution):
            return convolution(n_in, n_out, 1)
    return nn.Linear(n_in, n_out)


def _used(scales: Tensor) -> list[list[bool]]:
    """At which depth any rows use which layer, ``(k, depth, D)`` → depth × D: a fixed order runs
    only those.

    Scales that are learned, or traced into a graph, always use all; where all are 0, one layer runs
    for the shape of its outputs.
    """
    _blocks, depth, n_layers = scales.shape
    if scales.requires_grad or torch.compiler.is_compiling():
        every = [True] * n_layers
        return [every] * depth
    used: list[list[bool]] = scales.any(0).tolist()
    for row in used:
        if not any(row):
            row[0] = True
    return used


def _weighted_sum(terms: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """``Σ_j s_j y_j`` for terms ``y_j (B, *)`` and their scales ``s_j (B,)``."""
    broad = []
    for y, scale in terms:
        ones = [1] * (y.ndim - 1)
        broad.append((y, scale.reshape(-1, *ones)))  # (B, *) and (B, 1, …)
    (first, of_first), *others = broad
    mixed = first * of_first
    for y, scale in others:
        mixed = torch.addcmul(mixed, scale, y)
    return mixed


def _widths(layer: Layer) -> tuple[int, int]:
    """Features or channels that go in and come out."""
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return layer.in_channels, layer.out_channels


def _check(layers: Sequence[nn.Module], depth: int) -> None:
    if not layers or depth < 1:
        raise ValueError(
            "SoftOrdering: there must be at least one layer and depth 1, got "
            f"{len(layers)} layers, depth={depth}"
        )
    widths = {}
    found: set[int] = set()
    for number, layer in enumerate(layers):
        if isinstance(layer, Layer):
            widths[number] = _widths(layer)
            found.update(widths[number])
    if len(found) > 1:
        raise ValueError(
            f"SoftOrdering: every layer must map one width to the same width, got {widths} "
            "(layer → in, out); "
            "wrap the others in ss.adapted(layer, width)"
        )
