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
        places: dict[int, list[int]] = {}
        for place, task in enumerate(numbers):
            places.setdefault(self._group_of[task], []).append(place)
        # Every group is composed at once; the rows are then put back where they were asked for.
        parts, asked = [], []
        for group, own in sorted(places.items()):
            parts.append(self._composed(group, [numbers[place] for place in own]))
            asked += own
        shapes = [part.shape[1:] for part in parts]
        widest = list(map(max, *shapes)) if len(shapes) > 1 else list(shapes[0])
        padded = [nn.functional.pad(part, _padding(part.shape[1:], widest)) for part in parts]
        filled = torch.cat(padded)
        return filled.index_select(0, torch.tensor(asked, device=filled.device).argsort())

    def task_parameters(self) -> list[str]:
        return []  # no parameter has every task as dim 0


def padded_rows(values: Sequence[Tensor]) -> Tensor:
    """Vectors of different lengths as the rows of one matrix, filled up with zeros."""
    return nn.utils.rnn.pad_sequence(list(values), batch_first=True)


def _padding(shape: Sequence[int], widest: Sequence[int]) -> list[int]:
    """The argument of ``torch.nn.functional.pad`` that fills the end of every mode, last mode
    first.
    """
    amounts = []
    for size, full in zip(reversed(shape), reversed(widest), strict=True):
        amounts += [0, full - size]  # nothing before, the rest after
    return amounts
