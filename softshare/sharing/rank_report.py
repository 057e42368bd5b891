"""What a factorisation kept: ranks, parameters and reconstruction error by layer, and where it
shares nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from softshare.sharing.base import SharedWeight


@dataclass(frozen=True)
class LayerRanks:
    """What a sharing keeps of one layer.

    Attributes:
        layer: the layer's name.
        n_tasks: ``T``.
        ranks: in the paper's mode order, the task's last; empty where the sharing is no
            factorisation.
        parameters: of this layer, over all tasks.
        independent_parameters: what the tasks would have with a weight of their own each.
        error: ``‖W − Ŵ‖_F / ‖W‖_F`` against the weights that were factorised; None where these were
            not given.
    """

    layer: str
    n_tasks: int
    ranks: tuple[int, ...]
    parameters: int
    independent_parameters: int
    error: float | None = None

    @property
    def warning(self) -> str:
        """Why this factorisation is of no use; empty where it is."""
        if not self.ranks:
            return ""
        reasons = []
        if self.ranks[-1] >= self.n_tasks:
            reasons.append(
                f"its task rank {self.ranks[-1]} is the number of tasks, so that every "
                "task has a direction of its own"
            )
        if self.parameters >= self.independent_parameters:
            reasons.append(
                f"it has {self.parameters:,} parameters where independent learning has "
                f"{self.independent_parameters:,}"
            )
        if not reasons:
            return ""
        return (
            f"layer {self.layer!r}, ranks {self.ranks}: {', and '.join(reasons)}; lower the "
            "ranks, or raise epsilon"
        )


def rank_report(
    weights: Mapping[str, SharedWeight],
    stacks: Mapping[str, Sequence[Tensor] | Tensor] | None = None,
) -> list[LayerRanks]:
    """Ranks, parameters and, against the weights that were factorised, the error of every layer.

    Args:
        weights: layer's name → its shared weight.
        stacks: layer's name → the tasks' weights before, ``(T, *weight)`` or a list of ``T``
            tensors.
    """
    return [
        LayerRanks(
            layer=name,
            n_tasks=weight.n_tasks,
            ranks=weight.ranks(),
            parameters=sum(parameter.numel() for parameter in weight.parameters()),
            independent_parameters=weight.independent_parameters(),
            error=_relative_error(weight, stacks[name]) if stacks and name in stacks else None,
        )
        for name, weight in weights.items()
    ]


@torch.no_grad()
def _relative_error(
    weight: SharedWeight,
    stack: Sequence[Tensor] | Tensor,
) -> float:
    """Over all tasks; 0 where the weights are zero and so is the reconstruction."""
    composed = (
        weight.stacked().unbind(0)
        if isinstance(stack, Tensor)
        else [weight.of(task) for task in range(weight.n_tasks)]
    )
    pairs = [
        (before.double(), after.double()) for before, after in zip(stack, composed, strict=True)
    ]
    lost = sum(float((before - after).square().sum()) for before, after in pairs)
    total = sum(float(before.square().sum()) for before, _ in pairs)
    return (lost / total) ** 0.5 if total > 0 else float(lost > 0)
