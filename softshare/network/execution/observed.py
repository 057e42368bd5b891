"""What a layer hands out to those who learn how far the tasks' own parts spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from softshare.sharing.weights.sum_weight import SumWeight


@dataclass(frozen=True)
class Observed:
    """One layer's weight or bias in one pass.

    Args:
        weight: the shared weight.
        inputs: what it was multiplied with at each of the P places of a row, ``(k, B, P, in)``.
        own: the tasks' own parts in the same order, ``(k, in, out)``.
        outputs: the layer's outputs, in the pass's graph.
        by_place: a gradient of the outputs → ``(k, B, P, out)``.
    """

    weight: SumWeight
    inputs: Tensor
    own: Tensor
    outputs: Tensor
    by_place: Callable[[Tensor], Tensor]
