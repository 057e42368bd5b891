"""The parts of a k-fold cross-validation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from softshare.tasks.splits import labels_of, units_of
from softshare.tasks.stratify import draws_of, units_by_label
from softshare.tasks.task_set import TaskSet


def folds(
    tasks: TaskSet,
    n_folds: int,
    *,
    seed: int,
) -> np.ndarray:
    """Deal the examples out into folds of equal size, every fold with its fraction of every task
    and class.

    A row that serves several tasks, and the rows of one group, fall in one fold. The rarest labels
    are dealt out first.

    Args:
        tasks: the examples, those of a training part.
        n_folds: how many folds.
        seed: of the draws.

    Raises:
        ValueError: there are fewer than two folds, or fewer rows (or groups) than folds.

    Shape:
        ``(entries,)``, the number of every entry's fold.
    """
    unit = pd.factorize(units_of(tasks))[0]
    n_units = int(unit.max(initial=-1)) + 1
    if not 2 <= n_folds <= n_units:
        raise ValueError(
            f"n_folds: at least 2, and no more than the {n_units} rows or groups that "
            f"there are; got {n_folds}"
        )
    fold, dealt = np.full(n_units, -1), 0
    draws = draws_of(f"{seed}/folds", np.arange(n_units))
    for _, members in units_by_label(
        tasks,
        labels_of(tasks),
        unit,
        f"{seed}/folds",
    ):
        free = members[fold[members] < 0]
        in_turn = free[np.argsort(draws[free])]
        fold[in_turn] = (dealt + np.arange(len(free))) % n_folds
        dealt += len(free)
    return fold[unit]
