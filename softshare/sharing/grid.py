"""Tasks indexed by several factors, such as aspect × customer: one task axis for each (Yang and
Hospedales 2017, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod


@dataclass(frozen=True)
class TaskGrid:
    """Where each task stands in a grid of factors.

    Args:
        levels: for every factor its values, sorted, so that the order of the tasks does not matter.
        places: for every task the numbers of its values, one a factor.
    """

    levels: tuple[tuple[str, ...], ...]
    places: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, names: Sequence[object]) -> TaskGrid | None:
        """The grid that the tasks' names span; None where they are not all tuples of one length of
        at least 2.

        Raises:
            ValueError: some names are tuples and others are not, or their lengths differ.
        """
        tuples = []
        for name in names:
            if isinstance(name, tuple) and len(name) > 1:
                tuples.append(name)
        if not tuples:
            return None
        for name in names:
            if not isinstance(name, tuple) or len(name) != len(tuples[0]):
                raise ValueError(
                    f"tasks indexed by factors need names of one length: {tuples[0]!r} and "
                    f"{name!r} do not go together"
                )
        levels = []
        columns = []  # for every factor the number of each task's value
        for values in zip(*tuples, strict=True):
            level = tuple(sorted(set(values)))
            numbers = range(len(level))
            number_of = dict(zip(level, numbers, strict=True))
            levels.append(level)
            columns.append([number_of[value] for value in values])
        places = zip(*columns, strict=True)  # a row for every task
        return cls(tuple(levels), tuple(places))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each factor has."""
        return tuple(map(len, self.levels))

    @property
    def is_whole(self) -> bool:
        """Whether every cell has a task."""
        return len(self.places) == prod(self.shape)

    def order(
        self,
        layer: str,
        sharing: str,
        *,
        remedy: str = "",
    ) -> list[int]:
        """The tasks in the row-major order of the grid, so that their stack can be folded into it.

        Args:
            layer: whose weights are to be folded.
            sharing: what folds them.
            remedy: what the sharing can do instead, for the message.

        Raises:
            ValueError: the grid has cells without a task.
        """
        if not self.is_whole:
            raise ValueError(
                f"layer {layer!r}: {sharing} needs a task for every combination of the "
                f"factors here, {prod(self.shape)} in all, and there "
                f"are {len(self.places)}: none is named {self._missing()!r}. Give the tasks plain "
                f"names{remedy}"
            )
        return sorted(range(len(self.places)), key=self.places.__getitem__)

    def _missing(self) -> tuple[str, ...]:
        """The name that a task of the first empty cell would have."""
        taken = set(self.places)
        axes = map(range, self.shape)
        # A large grid is not gone through: of one more cell than there are tasks, one is empty.
        cell = next(cell for cell in product(*axes) if cell not in taken)
        values = []
        for level, number in zip(self.levels, cell, strict=True):
            values.append(level[number])
        return tuple(values)
