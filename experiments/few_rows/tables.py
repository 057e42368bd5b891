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
        package: that it is of, in the Rdatasets collection.
    """

    task: str | None
    target: str | tuple[str, ...]
    group: str | None = None
    drop: tuple[str, ...] = ()
    kind: Kind | None = None
    package: str | None = None

    def path(self, name: str) -> Path:
        """Where it is, in the folder that ``SOFTSHARE_DATA`` names."""
        data = Path(os.environ["SOFTSHARE_DATA"])
        if self.package is None:
            return data / "tables" / f"{name}.csv.gz"
        return data / "rdatasets" / self.package / f"{name}.csv"


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
"""Development tables, the cheapest first."""

HELD_OUT = {
    "nlschools": Table("class", "lang", package="MASS"),
    "Sitka89": Table("tree", "size", package="MASS"),
    "dietox": Table("Pig", "Weight", drop=("Feed",), package="geepack"),
    "solder": Table("PadType", "skips", kind="regression", package="rpart"),
    "french_fries": Table(
        None,
        ("potato", "buttery", "grassy", "rancid", "painty"),
        group="subject",
        package="reshape2",
    ),
    "liver": Table(None, ("ALP.M", "ALT.M", "AST.M", "TBL.M"), package="texmex"),
    "grouseticks": Table("LOCATION", "TICKS", drop=("INDEX",), kind="regression", package="lme4"),
    "Caschool": Table(
        "county",
        "testscr",
        drop=("distcod", "district", "readscr", "mathscr"),
        package="Ecdat",
    ),
    "Crime": Table("county", "crmrte", package="Ecdat"),
    "Cigar": Table("state", "sales", package="Ecdat"),
    "Produc": Table("state", "gsp", package="plm"),
    "presidentialElections": Table("state", "demVote", package="pscl"),
    "Forbes2000": Table("category", "marketvalue", drop=("rank", "name"), package="HSAUR"),
    "medpar": Table("provnum", "died", package="COUNT"),
    "Benefits": Table("state", "ui", package="Ecdat"),
    "Males": Table("industry", "wage", group="nr", package="Ecdat"),
    "Star": Table("schidkn", "tmathssk", drop=("treadssk",), kind="regression", package="Ecdat"),
    "VietNamH": Table(
        "commune", "lntotal", drop=("lnmed", "lnrlfood", "lnexp12m"), package="Ecdat"
    ),
}
"""Tables of the Rdatasets collection by which nothing in softshare was set: chosen for their
columns, before anything had learned from one."""

ALL = TABLES | HELD_OUT


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
    """The table of that name."""
    table = ALL[name]
    return ss.read_table(
        table.path(name),
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
