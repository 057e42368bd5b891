"""Trained networks factorised anew at smaller ranks, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from softshare.sharing.rank_report import LayerRanks, rank_report

if TYPE_CHECKING:
    from softshare.network.multitask_network import MultiTaskNetwork


@dataclass(frozen=True)
class Compression:
    """What factorising trained weights anew has made, and what it cost.

    Attributes:
        network: with the smaller factors.
        layers: ranks, parameters and relative error of every layer that was factorised anew.
        before: parameters of these layers before, of each.
    """

    network: MultiTaskNetwork
    layers: tuple[LayerRanks, ...]
    before: tuple[int, ...]

    def __str__(self) -> str:
        lines = []
        for layer, before in zip(self.layers, self.before, strict=True):
            error = 0.0 if layer.error is None else layer.error
            lines.append(
                f"{layer.layer}: {before:,} → {layer.parameters:,} parameters, ranks "
                f"{layer.ranks}, relative error {error:.2g}"
            )
        return "\n".join(lines) or "nothing to compress: no layer has ranks"


def compressed(network: MultiTaskNetwork, epsilon: float) -> Compression:
    """See :meth:`MultiTaskNetwork.compress`."""
    smaller = {}
    chosen = []
    for layer, sharing in network.sharing.items():
        smaller[layer] = sharing.truncated(epsilon)
        if smaller[layer] != sharing:
            chosen.append(layer)
    if not chosen:
        return Compression(network, (), ())
    made = network.with_sharing(smaller)
    stacks = network.stacks()
    old = {layer: network.layers[layer] for layer in chosen}
    before = {layer: stacks[network.path_of(layer)] for layer in chosen}
    new = {layer: made.layers[layer] for layer in chosen}
    report = rank_report(
        new,
        before,
    )
    counts = [row.parameters for row in rank_report(old)]
    return Compression(
        made,
        tuple(report),
        tuple(counts),
    )
