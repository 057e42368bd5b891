"""Soft layer ordering: the tasks share layers, and each task learns how much of which layer it applies at which depth.

Meyerson and Miikkulainen (2018), "Beyond Shared Hierarchies: Deep Multitask Learning through Soft Layer Ordering".
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from softshare.sharing.reading import Reading

Gate = Literal["softmax", "sigmoid"]

CERTAIN = 1000.0
"""A logit whose softmax and sigmoid are exactly 0 or 1, and which half precision still holds."""


class LayerScales(nn.Module):
    """One task's scales: how much of each layer it applies at each depth. All layers start equal, at 1/D.

    Args:
        depth: how often layers are applied.
        n_layers: D, how many layers there are to choose from.
        gate: how scales come from logits. ``"softmax"``: the scales at a depth sum to 1. ``"sigmoid"``: each is
            free of the others, so that one can be swept alone (section 5).
    """

    each_tasks_own = True

    def __init__(self, depth: int, n_layers: int, *, gate: Gate = "softmax") -> None:
        super().__init__()
        if gate not in ("softmax", "sigmoid"):
            raise ValueError(f"gate must be 'softmax' or 'sigmoid', got {gate!r}")
        self.gate = gate
        self.weight = nn.Parameter(torch.zeros(depth, n_layers))
        self._start = -math.log(max(n_layers - 1, 1))  # the logit of 1/D

    def forward(self, x: Tensor) -> Tensor:
        """The scales for every row of ``x``: ``(B, …)`` → ``(B, depth, D)``."""
        return self.scales(self.weight).expand(len(x), -1, -1)

    def run_tasks(self, x: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """The same for k tasks at once: ``(k, B, …)`` and weights ``(k, depth, D)`` → ``(k, B, depth, D)``."""
        return self.scales(values["weight"]).unsqueeze(1).expand(-1, x.shape[1], -1, -1)

    def readings(self, values: Mapping[str, Tensor]) -> list[Reading]:
        """The tasks' scales, for the record."""
        return [Reading("ordering", ("depth", "layer"), self.scales(values["weight"]))]

    def scales(self, logits: Tensor) -> Tensor:
        """Logits → scales in [0, 1], both ``(…, depth, D)``."""
        return logits.softmax(-1) if self.gate == "softmax" else torch.sigmoid(logits + self._start)

    @torch.no_grad()
    def set_scale(self, depth: int, layer: int, value: float) -> None:
        """Give one scale a value. The other logits stay; a softmax shares what is left in the proportions it had.

        Raises:
            ValueError: there is no such depth or layer, or the value is not in [0, 1].
        """
        depths, layers = self.weight.shape
        if not (0 <= depth < depths and 0 <= layer < layers and 0 <= value <= 1):
            raise ValueError(
                f"depth must be below {depths} and layer below {layers}, both counted from 0, and a scale in [0, 1]; "
                f"got depth={depth}, layer={layer}, value={value:g}"
            )
        if self.gate == "softmax" and layers == 1:
            raise ValueError("the scale of an only layer is always 1 with gate='softmax'; use gate='sigmoid' to change it")
        odds = math.log(value / (1 - value)) if 0 < value < 1 else math.copysign(2 * CERTAIN, value - 0.5)
        others = torch.cat([self.weight[depth, :layer], self.weight[depth, layer + 1 :]])
        self.weight[depth, layer] = odds + (others.logsumexp(0) if self.gate == "softmax" else -self._start)


class SoftOrdering(nn.Module):
    """D layers of one shape, applied again and again: ``y_k = Σ_j s_jk φ(W_j y_{k−1})`` (equation 7).

    A plain module, to stand in any template. In a :class:`~softshare.MultiTaskNetwork` the scales ``s`` are each
    task's own unless a pattern names them, whatever shares the layers. Fixed orders are scales of 0 and 1:
    :class:`~softshare.FixedOrder`.

    Args:
        layers: the D layers; outputs must have the inputs' width. See :func:`adapted` for layers of other widths.
        depth: how often they are applied; D when None.
        activation: φ, which may pool as well. Pooling before a monotone activation is the cheaper order.
        dropout: probability after each depth.
        gate: see :class:`LayerScales`.

    Raises:
        ValueError: there is no layer, or a layer's input and output differ in width from the others'.

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
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.scales = LayerScales(depth, len(layers), gate=gate)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        scales = self.scales(x)
        for scales_here, used in zip(scales.unbind(1), _used(scales), strict=True):
            x = self.dropout(self._mix(x, scales_here, used))
        return x

    def _mix(self, x: Tensor, scales: Tensor, used: Sequence[bool]) -> Tensor:
        """One depth: ``(B, *)`` and scales ``(B, D)`` → ``(B, *)``."""
        terms = [
            (self.activation(layer(x)), scale) for layer, scale, needed in zip(self.layers, scales.unbind(1), used, strict=True) if needed
        ]
        return _weighted_sum(terms)


def adapted(layer: nn.Linear | nn.Conv2d, width: int, *, activation: nn.Module | None = None) -> nn.Module:
    """A layer of any width as one from ``width`` to ``width``: adapters before and after it where they are needed.

    The activation stands between the layer and the adapter after it: without one, the two would be one linear map.

    Args:
        layer: an affine or a convolutional layer.
        width: features or channels of the core; the adapters are affine, or convolutions of window 1.
        activation: the layer's own; ReLU when None.
    """
    before, after = _widths(layer)
    parts: OrderedDict[str, nn.Module] = OrderedDict()

    def adapter(n_in: int, n_out: int) -> nn.Module:
        return nn.Conv2d(n_in, n_out, 1) if isinstance(layer, nn.Conv2d) else nn.Linear(n_in, n_out)

    if before != width:
        parts["before"] = adapter(width, before)
    parts["layer"] = layer
    if after != width:
        parts |= {"activation": nn.ReLU() if activation is None else activation, "after": adapter(after, width)}
    return nn.Sequential(parts)


def _used(scales: Tensor) -> list[list[bool]]:
    """At which depth any row uses which layer, ``(B, depth, D)`` → depth × D: a fixed order runs only those.

    Scales that are learned, or traced into a graph, always use all.
    """
    if scales.requires_grad or torch.compiler.is_compiling():
        return [[True] * scales.shape[2]] * scales.shape[1]
    used: list[list[bool]] = scales.any(0).tolist()
    return used


def _weighted_sum(terms: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """``Σ_j s_j y_j`` for terms ``y_j (B, *)`` and their scales ``s_j (B,)``."""
    total, *rest = [(y, scale.reshape(-1, *[1] * (y.ndim - 1))) for y, scale in terms]
    mixed = total[0] * total[1]
    for y, scale in rest:
        mixed = torch.addcmul(mixed, scale, y)
    return mixed


def _widths(layer: nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d) -> tuple[int, int]:
    return (layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else (layer.in_channels, layer.out_channels)


def _check(layers: Sequence[nn.Module], depth: int) -> None:
    if not layers or depth < 1:
        raise ValueError(f"SoftOrdering: there must be at least one layer and depth 1, got {len(layers)} layers, depth={depth}")
    widths = {
        number: _widths(layer) for number, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    }
    if len({width for pair in widths.values() for width in pair}) > 1:
        raise ValueError(
            f"SoftOrdering: every layer must map one width to the same width, got {widths} (layer → in, out); "
            "wrap the others in ss.adapted(layer, width)"
        )
