"""Weights of each task's own that a penalty over their stack joins."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from string import ascii_lowercase

import torch
from torch import Tensor, nn

from softshare.sharing.base import LayerShapes, SharedWeight
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.factorised import FactorisedWeight


def drawn_stack(
    name: str,
    layer: LayerShapes,
    streams: RandomStreams,
    *,
    sharing: str,
) -> Tensor:
    """Independent random weights ``(T, *weight)`` of the layer's standard deviation, each from its
    task's own stream.

    Raises:
        ValueError: tasks have different shapes.
    """
    return layer.stds[0] * streams.normal_by_task(name, layer.common(name, sharing))


class RegularisedWeight(SharedWeight):
    """Independent weights with a penalty: what is shared is learned, not fixed.

    Args:
        stack: the tasks' initial weights.

    Shape:
        stack ``(T, *weight)``.
    """

    regularises = True

    def __init__(self, stack: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(stack.detach().clone(memory_format=torch.contiguous_format))
        self.n_tasks = len(stack)

    @abstractmethod
    def penalty(self, examples: Tensor) -> Tensor: ...

    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        return self.weight if tasks is None else self.weight.index_select(0, tasks)

    def contraction(self, tasks: Tensor | None = None) -> tuple[str, list[Tensor]]:
        modes = ascii_lowercase[: self.weight.ndim - 1]
        return f"t{modes}->t{modes}", [self.stacked(tasks)]

    def unjoined(self) -> SharedWeight:
        """The same weights without the penalty that joins them."""
        modes = ascii_lowercase[: self.weight.ndim - 1]
        return FactorisedWeight(
            f"t{modes}->t{modes}",
            {"weight": self.weight.detach()},
            shape=self.weight.shape[1:],
            n_tasks=self.n_tasks,
        )

    def task_parameters(self) -> list[str]:
        return ["weight"]

    @torch.no_grad()
    def take_mean(self) -> Tensor | None:
        mean = self.weight.mean(0)
        self.weight.sub_(mean)
        return mean

    def task_vectors(self) -> Tensor:
        return self.weight.flatten(1)

    def independent_parameters(self) -> int:
        return prod(self.weight.shape)
