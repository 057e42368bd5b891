"""Independent learning (single-task learning, STL): nothing is shared, every task keeps its own
weights.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal

import torch
from torch import Tensor, nn

from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.factorised import FactorisedWeight
from softshare.sharing.weights.unequal import UnequalWeight, padded_rows


@dataclass(frozen=True)
class Independent(Sharing):
    """Every task has its own copy of the layers: the baseline that sharing must beat.

    The only sharing, with the tensor ring, that takes tasks of different shapes.

    Args:
        shrink: as the own part of a sum, how strongly it is drawn to zero: see
            :class:`~softshare.sharing.sum.Sum`, whose setting it stands for.
    """

    shrink: float | Literal["learned"] | None = None

    @property
    def joins_tasks(self) -> bool:
        return False

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        self._require_no_shrinkage()
        return {name: _drawn(name, layer, streams) for name, layer in layers.items()}

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        self._require_no_shrinkage()
        return {name: independent_weight(stack) for name, stack in stacks.items()}

    def _require_no_shrinkage(self) -> None:
        if self.shrink is not None:
            raise ValueError(
                f"Independent: shrink={self.shrink!r} is for the own part of a sum, such as "
                f"ss.Tied() + ss.Independent(shrink={self.shrink!r}); alone nothing draws the "
                "tasks to each other"
            )


def independent_weight(stack: Sequence[Tensor] | Tensor) -> SharedWeight:
    """Weights ``(T, *weight)``, or a list of ``T`` of different shapes, as each task's own
    parameters.
    """
    if not isinstance(stack, Tensor):
        shapes = {weight.shape for weight in stack}
        if len(shapes) > 1:
            return UnequalWeights(stack)
        stack = torch.stack(list(stack))
    n_modes = stack.ndim - 1
    modes = ascii_lowercase[:n_modes]
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
        self.stacks = nn.ParameterList()
        for members in self._members:
            own = [weights[task].detach() for task in members]
            self.stacks.append(nn.Parameter(torch.stack(own)))  # (k, *weight)

    @property
    def shares_nothing(self) -> bool:
        return True

    def _composed(self, group: int, tasks: list[int]) -> Tensor:
        stack = self.stacks[group]
        if tasks == self._members[group]:
            return stack
        rows = [self._row_of[task] for task in tasks]
        return stack.index_select(0, torch.tensor(rows, device=stack.device))

    def with_task(self, start: Tensor) -> SharedWeight:
        weights = []
        forms: list[Hashable] = []
        for task in range(self.n_tasks):
            old = self.of(task).detach()
            weights.append(old)
            forms.append((old.shape, "old"))
        # A form of its own, so that it is a parameter of its own: the only one still trained.
        weights.append(start)
        forms.append((start.shape, "new"))
        weight = UnequalWeights(weights, forms)
        weight.requires_grad_(False)
        weight.stacks[-1].requires_grad_(True)
        return weight

    def independent_parameters(self) -> int:
        return sum(stack.numel() for stack in self.stacks)

    def own_values(self, task: int) -> list[Tensor]:
        stack = self.stacks[self._group_of[task]].detach()
        row = self._row_of[task]
        return [stack[row]]

    def task_vectors(self) -> Tensor:
        vectors = []
        for task in range(self.n_tasks):
            vectors.append(self.of(task).flatten())
        return padded_rows(vectors)


def _drawn(
    name: str,
    layer: LayerShapes,
    streams: RandomStreams,
) -> SharedWeight:
    if len(layer.shapes) == 1:
        values = streams.normal_by_task(name, layer.shapes[0])  # (T, *weight)
        return independent_weight(layer.stds[0] * values)
    weights = []
    for task, shape, std in zip(streams.names, layer.shapes, layer.stds, strict=True):
        generator = streams.generator(name, task)
        weights.append(std * torch.randn(shape, generator=generator))
    return independent_weight(weights)
