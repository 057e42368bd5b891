"""How the rows of a task set may be divided, and the splits of one comparison."""

from __future__ import annotations

from softshare.evaluation.plan import fractions_of_parts
from softshare.tasks.sources import digest_of
from softshare.tasks.splits import Split, given_parts_of, split, units_of
from softshare.tasks.task_set import TaskSet


def division_of(tasks: TaskSet) -> str:
    """A digest of all that divides the rows and is no part of the data's fingerprint: the groups,
    the given parts, what a training fraction is of, and which targets have one scale.
    """
    units = None if tasks.units is None else tasks.units.tolist()
    flags = (tasks.train_fraction_of_all, tasks.one_input, tasks.one_unit, units)
    return digest_of(repr(flags), units_of(tasks), given_parts_of(tasks))


class Splits:
    """The splits of a comparison, each drawn when it is first asked for.

    Args:
        tasks: what is divided.
    """

    def __init__(self, tasks: TaskSet) -> None:
        self.tasks = tasks
        self._parts = fractions_of_parts(tasks)
        self._drawn: dict[tuple[float, int], Split] = {}

    def of(self, fraction: float, seed: int) -> Split:
        """The split of every run at a training fraction with a seed.

        Raises:
            ValueError: the tasks cannot be divided so.
        """
        key = fraction, seed
        if key not in self._drawn:
            self._drawn[key] = split(
                self.tasks,
                seed=seed,
                fractions=self._parts,
                train_fraction=fraction,
            )
        return self._drawn[key]
