"""Independent learning (single-task learning, STL): nothing is shared, every task keeps its own
weights.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import torch
from torch import Tensor, nn

from softshare.sharing.base import LayerShapes, RandomStreams, SharedWeight, Sharing
from softshare.sharing.weights.factorised import FactorisedWeight
from softshare.sharing.weights.unequal import UnequalWeight, padded_rows


@dataclass(frozen=True)
class Independent(Sharing):
    """Every task has its own copy of the layers: the baseline that sharing must beat.

    The only sharing, with the tensor ring, that takes tasks of different shapes.
    """

    @property
    def joins_tasks(self) -> bool:
        return False

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        return {name: _drawn(name, layer, streams) for name, layer in layers.items()}

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        return {name: independent_weight(stack) for name, stack in stacks.items()}


def independent_weight(stack: Sequence[Tensor] | Tensor) -> SharedWeight:
    """Weights ``(T, *weight)``, or a list of ``T`` of different shapes, as each task's own
    parameters.
    """
    if not isinstance(stack, Tensor):
        if len({weight.shape for weight in stack}) > 1:
            return UnequalWeights(stack)
        stack = torch.stack(list(stack))
    modes = ascii_lowercase[: stack.ndim - 1]
    return FactorisedWeight(
        f"t{modes}->t{modes}",
        {"weight": stack},
        shape=stack.shape[1:],
        n_tasks=len(stack),
    )


class UnequalWeights(UnequalWeight):
    """Each task's own weight where their shapes differ: one stacked parameter for every shape.

    Args:
        weights: the tasks' initial weights.
        forms: the tasks' forms, where tasks of one shape are to be kept in parameters of their own.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        forms: Sequence[Hashable] | None = None,
    ) -> None:
        super().__init__(forms or [weight.shape for weight in weights])
        self.stacks = nn.ParameterList(
            [
                nn.Parameter(torch.stack([weights[task].detach() for task in members]))
                for members in self._members
            ]
        )

    @property
    def shares_nothing(self) -> bool:
        return True

    def _composed(self, group: int, tasks: list[int]) -> Tensor:
        stack = self.stacks[group]
        if tasks == self._members[group]:
            return stack
        return stack.index_select(
            0,
            torch.tensor(
                [self._row_of[task] for task in tasks],
                device=stack.device,
            ),
        )

    def with_task(self, start: Tensor) -> SharedWeight:
        weights = [self.of(task).detach() for task in range(self.n_tasks)]
        weight = UnequalWeights(
            [*weights, start],
            forms=[*((old.shape, "old") for old in weights), (start.shape, "new")],
        )
        weight.requires_grad_(False)
        weight.stacks[-1].requires_grad_(True)
        return weight

    def independent_parameters(self) -> int:
        return sum(stack.numel() for stack in self.stacks)

    def own_values(self, task: int) -> list[Tensor]:
        return [self.stacks[self._group_of[task]].detach()[self._row_of[task]]]

    def task_vectors(self) -> Tensor:
        return padded_rows([self.of(task).flatten() for task in range(self.n_tasks)])


def _drawn(
    name: str,
    layer: LayerShapes,
    streams: RandomStreams,
) -> SharedWeight:
    if len(layer.shapes) == 1:
        return independent_weight(layer.stds[0] * streams.normal_by_task(name, layer.shapes[0]))
    generators = [streams.generator(name, task) for task in streams.names]
    each = zip(layer.shapes, layer.stds, generators, strict=True)
    return independent_weight(
        [std * torch.randn(shape, generator=generator) for shape, std, generator in each]
    )
