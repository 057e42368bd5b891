"""The development tables: where they are, which columns are what, and how their rows are split."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import softshare as ss
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

PARTS = (0.8, 0.0, 0.2)
"""What trains, what is held out to choose by (nothing: folds do), and what tests."""


@dataclass(frozen=True)
class Table:
    """A table with a task column, or with a column for every task.

    Args:
        task: the column that names a row's task, or None.
        target: the column to predict, or the columns.
        group: the column whose equal values stay in one part, where there is one.
        drop: columns that are no inputs.
        kind: of the target, where it would be read as another: few whole numbers as classes.
    """

    task: str | None
    target: str | tuple[str, ...]
    group: str | None = None
    drop: tuple[str, ...] = ()
    kind: Kind | None = None


TABLES = {
    "meats": Table(None, ("water", "fat", "protein")),
    "contraception": Table("district", "use"),
    "exam": Table("school", "normexam"),
    "hsb": Table("school", "math"),
    "egsingle": Table("schoolid", "math", group="childid"),
    "verbagg": Table("item", "r2", group="person"),
    "ames": Table("Neighborhood", "Sale_Price"),
    "insteval": Table("instructor", "rating", drop=("student",), kind="regression"),
}
"""The cheapest first."""


@dataclass(frozen=True)
class Parts:
    """A table's prepared training and test part."""

    train: TaskSet
    test: TaskSet

    @property
    def nothing(self) -> TaskSet:
        """No examples of these tasks."""
        return self.train.select(np.empty(0, dtype=np.int64))


def read(name: str) -> TaskSet:
    """A development table, from the folder that ``SOFTSHARE_DATA`` names."""
    table = TABLES[name]
    path = Path(os.environ["SOFTSHARE_DATA"]) / "tables" / f"{name}.csv.gz"
    return ss.read_table(
        path,
        task=table.task,
        target=table.target,
        group=table.group,
        drop=table.drop,
        kinds=table.kind,
    )


def parts(tasks: TaskSet, fraction: float, seed: int) -> Parts:
    """Split as a comparison does; tasks that are too small for the fraction are left out."""
    kept = tasks.drop_small_tasks(train_fraction=fraction, fractions=PARTS)
    drawn = split(kept, seed=seed, fractions=PARTS, train_fraction=fraction)
    train, _, test = prepare(kept, drawn)
    return Parts(train, test)
