"""Independent learning (single-task learning, STL): nothing is shared, every task keeps its own weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import torch
from torch import Tensor, nn

from softshare.sharing.base import LayerShapes, RandomStreams, SharedWeight, Sharing
from softshare.sharing.factorised import FactorisedWeight


@dataclass(frozen=True)
class Independent(Sharing):
    """Every task has its own copy of the layers: the baseline that sharing must beat.

    The only sharing, with the tensor ring, that takes tasks of different shapes.
    """

    def draw(self, layers: Mapping[str, LayerShapes], streams: RandomStreams) -> dict[str, SharedWeight]:
        return {name: _drawn(name, layer, streams) for name, layer in layers.items()}

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        return {name: independent_weight(stack) for name, stack in stacks.items()}


def independent_weight(stack: Sequence[Tensor] | Tensor) -> SharedWeight:
    """Weights ``(T, *weight)``, or a list of ``T`` of different shapes, as each task's own parameters."""
    if not isinstance(stack, Tensor):
        if len({weight.shape for weight in stack}) > 1:
            return UnequalWeights(stack)
        stack = torch.stack(list(stack))
    modes = ascii_lowercase[: stack.ndim - 1]
    return FactorisedWeight(f"t{modes}->t{modes}", {"weight": stack}, shape=stack.shape[1:], n_tasks=len(stack))


class UnequalWeights(SharedWeight):
    """Each task's own weight where their shapes differ: one stacked parameter for every shape.

    Args:
        weights: the tasks' initial weights.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.n_tasks = len(weights)
        self._place: list[tuple[int, int]] = []
        members: dict[torch.Size, list[Tensor]] = {}
        for weight in weights:
            group = members.setdefault(weight.shape, [])
            self._place.append((list(members).index(weight.shape), len(group)))
            group.append(weight.detach())
        self.stacks = nn.ParameterList([nn.Parameter(torch.stack(group)) for group in members.values()])

    def of(self, task: int) -> Tensor:
        group, row = self._place[task]
        return self.stacks[group][row]

    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        numbers = range(self.n_tasks) if tasks is None else tasks.tolist()
        groups = {self._place[task][0] for task in numbers}
        if len(groups) > 1:
            raise ValueError(
                f"these tasks' weights have different shapes: {[tuple(self.stacks[group].shape[1:]) for group in sorted(groups)]}"
            )
        rows = [self._place[task][1] for task in numbers]
        stack = self.stacks[groups.pop()]
        return stack if rows == list(range(len(stack))) else stack[torch.tensor(rows, device=stack.device)]

    def padded(self, tasks: Tensor | None = None) -> Tensor:
        numbers = list(range(self.n_tasks)) if tasks is None else tasks.tolist()
        groups = sorted({self._place[task][0] for task in numbers})
        widest = [max(sizes) for sizes in zip(*(self.stacks[group].shape[1:] for group in groups), strict=True)]
        filled = [nn.functional.pad(self.stacks[group], _padding(self.stacks[group].shape[1:], widest)) for group in groups]
        starts = dict(zip(groups, [0, *torch.tensor([len(stack) for stack in filled]).cumsum(0).tolist()], strict=False))
        order = [starts[self._place[task][0]] + self._place[task][1] for task in numbers]
        return torch.cat(filled).index_select(0, torch.tensor(order, device=filled[0].device))

    def task_parameters(self) -> list[str]:
        return []  # no parameter has every task as dim 0

    def independent_parameters(self) -> int:
        return sum(stack.numel() for stack in self.stacks)

    def own_values(self, task: int) -> list[Tensor]:
        return [self.of(task).detach()]

    def task_vectors(self) -> Tensor:
        width = max(stack[0].numel() for stack in self.stacks)
        flat = [self.of(task).flatten() for task in range(self.n_tasks)]
        return torch.stack([nn.functional.pad(weight, (0, width - len(weight))) for weight in flat])


def _padding(shape: Sequence[int], widest: Sequence[int]) -> list[int]:
    """The argument of ``torch.nn.functional.pad`` that fills the end of every mode, last mode first."""
    return [amount for size, full in zip(reversed(shape), reversed(widest), strict=True) for amount in (0, full - size)]


def _drawn(name: str, layer: LayerShapes, streams: RandomStreams) -> SharedWeight:
    if len(layer.shapes) == 1:
        return independent_weight(layer.std * streams.normal_by_task(name, layer.shapes[0]))
    generators = [streams.generator(name, task) for task in streams.names]
    return independent_weight([layer.std * torch.randn(shape, generator=g) for shape, g in zip(layer.shapes, generators, strict=True)])
