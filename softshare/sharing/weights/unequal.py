"""Weights of one layer whose shapes differ between tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor, nn

from softshare.sharing.base import SharedWeight


class UnequalWeight(SharedWeight):
    """A shared weight whose tasks come in groups of one form each; the tasks of a group are
    composed together.

    Args:
        forms: every task's form; tasks of equal form have weights of one shape.
    """

    def __init__(self, forms: Sequence[Hashable]) -> None:
        super().__init__()
        self.n_tasks = len(forms)
        # Forms a, b, a: groups 0, 1, 0, whose members are [0, 2] and [1], in rows 0, 0, 1.
        self._group_of: list[int] = []
        self._row_of: list[int] = []
        self._members: list[list[int]] = []
        number_of: dict[Hashable, int] = {}
        for task, form in enumerate(forms):
            if form not in number_of:
                number_of[form] = len(number_of)
                self._members.append([])
            group = number_of[form]
            members = self._members[group]
            self._group_of.append(group)
            self._row_of.append(len(members))
            members.append(task)

    @abstractmethod
    def _composed(self, group: int, tasks: list[int]) -> Tensor:
        """The weights of some tasks of one group, ``(k, *weight)``."""

    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        numbers = self._numbers(tasks)
        groups = sorted({self._group_of[task] for task in numbers})
        if len(groups) == 1:
            return self._composed(groups[0], numbers)
        shapes = set()
        for group in groups:
            first = self._members[group][:1]
            _one, *shape = self._composed(group, first).shape
            shapes.add(tuple(shape))
        if len(shapes) > 1:
            raise ValueError(
                f"these tasks' weights have different shapes: {sorted(shapes)}; ask for "
                "each by of(task), or for all by padded()"
            )
        return self.padded(tasks)

    def _numbers(self, tasks: Tensor | None) -> list[int]:
        """The tasks asked for; all when None."""
        if tasks is None:
            return list(range(self.n_tasks))
        numbers: list[int] = tasks.tolist()
        return numbers

    def padded(self, tasks: Tensor | None = None) -> Tensor:
        numbers = self._numbers(tasks)
        places: dict[int, list[int]] = {}
        for place, task in enumerate(numbers):
            group = self._group_of[task]
            places.setdefault(group, []).append(place)
        # Every group is composed at once; the rows are then put back where they were asked for.
        parts = []
        asked = []
        for group, own in sorted(places.items()):
            members = [numbers[place] for place in own]
            parts.append(self._composed(group, members))
            asked += own
        filled = _filled_up(parts)  # (k, *widest), group by group
        back = torch.tensor(asked, device=filled.device).argsort()
        return filled.index_select(0, back)

    def task_parameters(self) -> list[str]:
        return []  # no parameter has every task as dim 0


def padded_rows(values: Sequence[Tensor]) -> Tensor:
    """Vectors of different lengths as the rows of one matrix, filled up with zeros."""
    return nn.utils.rnn.pad_sequence(list(values), batch_first=True)


def _filled_up(parts: Sequence[Tensor]) -> Tensor:
    """Weights ``(k_g, *shape_g)`` of several groups as one tensor ``(Σ k_g, *widest)``, with zeros
    at the end of each mode.
    """
    shapes = [part.shape[1:] for part in parts]
    widest = [max(sizes) for sizes in zip(*shapes, strict=True)]
    padded = []
    for part, shape in zip(parts, shapes, strict=True):
        amounts = _padding(shape, widest)
        padded.append(nn.functional.pad(part, amounts))
    return torch.cat(padded)


def _padding(
    shape: Sequence[int],
    widest: Sequence[int],
) -> list[int]:
    """The argument of ``torch.nn.functional.pad`` that fills the end of every mode, last mode
    first.
    """
    amounts = []
    last_first = zip(reversed(shape), reversed(widest), strict=True)
    for size, full in last_first:
        amounts.append(0)  # nothing before
        amounts.append(full - size)  # the rest after
    return amounts
