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
        distinct = {form: group for group, form in enumerate(dict.fromkeys(forms))}
        self._group_of = [distinct[form] for form in forms]
        self._members: list[list[int]] = [[] for _ in distinct]
        self._row_of = []
        for task, group in enumerate(self._group_of):
            self._row_of.append(len(self._members[group]))
            self._members[group].append(task)

    @abstractmethod
    def _composed(self, group: int, tasks: list[int]) -> Tensor:
        """The weights of some tasks of one group, ``(k, *weight)``."""

    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        numbers = list(range(self.n_tasks)) if tasks is None else tasks.tolist()
        groups = sorted({self._group_of[task] for task in numbers})
        if len(groups) == 1:
            return self._composed(groups[0], numbers)
        shapes = {
            tuple(self._composed(group, self._members[group][:1]).shape[1:]) for group in groups
        }
        if len(shapes) > 1:
            raise ValueError(
                f"these tasks' weights have different shapes: {sorted(shapes)}; ask for "
                "each by of(task), or for all by padded()"
            )
        return self.padded(tasks)

    def padded(self, tasks: Tensor | None = None) -> Tensor:
        numbers = list(range(self.n_tasks)) if tasks is None else tasks.tolist()
        groups = sorted({self._group_of[task] for task in numbers})
        places = [
            [place for place, task in enumerate(numbers) if self._group_of[task] == group]
            for group in groups
        ]
        parts = [
            self._composed(group, [numbers[place] for place in own])
            for group, own in zip(groups, places, strict=True)
        ]
        widest = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
        filled = torch.cat(
            [nn.functional.pad(part, _padding(part.shape[1:], widest)) for part in parts]
        )
        order = torch.tensor(
            [place for own in places for place in own], device=filled.device
        ).argsort()
        return filled.index_select(0, order)

    def task_parameters(self) -> list[str]:
        return []  # no parameter has every task as dim 0


def padded_rows(values: Sequence[Tensor]) -> Tensor:
    """Vectors of different lengths as the rows of one matrix, filled up with zeros."""
    return nn.utils.rnn.pad_sequence(list(values), batch_first=True)


def _padding(shape: Sequence[int], widest: Sequence[int]) -> list[int]:
    """The argument of ``torch.nn.functional.pad`` that fills the end of every mode, last mode
    first.
    """
    return [
        amount
        for size, full in zip(reversed(shape), reversed(widest), strict=True)
        for amount in (0, full - size)
    ]
