"""What a soft ordering learns while it trains: numbers for an experiment's curve."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from softshare.network.diagnostics import diagnostics
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.training.history import Row

ORDERING = "ordering"


def scales_of(network: MultiTaskNetwork) -> Tensor:
    """How much of which layer each task applies at which depth, of the template's one ordering.

    Raises:
        ValueError: the template has none, or several.

    Returns:
        ``(T, depth, layers)``.
    """
    found = []
    for own in diagnostics(network).values():
        found += [each.values for each in own if each.name == ORDERING]
    if len(found) != 1:
        raise ValueError(f"the network has {len(found)} orderings of layers, expected one")
    return found[0]


@dataclass(frozen=True)
class ScalesWatch:
    """A callback that adds to every row of a curve how far the tasks' scales are from each other,
    ``scales_apart`` (the mean over pairs of the Euclidean distance of a depth's scales), and how
    near to a hard order, ``largest_scale`` (of a depth, the mean over depths and tasks).
    """

    def after_evaluation(self, network: MultiTaskNetwork, row: Row) -> None:
        """See the class."""
        scales = scales_of(network)
        distances = (scales[:, None] - scales[None]).norm(dim=-1).mean(-1)
        n_pairs = len(scales) * (len(scales) - 1)
        row["scales_apart"] = float(distances.sum()) / max(1, n_pairs)
        row["largest_scale"] = float(scales.max(-1).values.mean())
