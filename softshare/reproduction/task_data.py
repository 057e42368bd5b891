"""Where an experiment's tasks come from: files of public sets, or a generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from softshare.tasks.splits import PARTS, given_parts_of, labels_of
from softshare.tasks.task_set import TaskSet


class FileSet(Protocol):
    """What a public set tells of its files (:class:`softshare.data.public.PublicSet` does)."""

    @property
    def name(self) -> str: ...

    @property
    def missing(self) -> tuple[object, ...]:
        """The files that are not there."""
        ...


class TaskData(ABC):
    """Raw tasks, not yet divided."""

    @abstractmethod
    def tasks(
        self,
        seed: int,
    ) -> TaskSet:
        """The tasks of a seed; where they come from files, the same ones for all seeds."""

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Names of the public sets that it reads."""

    @property
    @abstractmethod
    def missing(self) -> tuple[str, ...]:
        """Those of them that are not here."""

    @property
    @abstractmethod
    def is_made(self) -> bool:
        """Whether made examples stand in for files that are not here."""

    @abstractmethod
    def reduced(
        self,
        few: int,
    ) -> TaskData:
        """The same with so few examples of every task, given part and class."""

    @property
    def divided_as(self) -> TaskData:
        """Tasks of the same entries, by which these are divided."""
        return self


@dataclass(frozen=True)
class FromFiles(TaskData):
    """Tasks of public sets.

    Args:
        sets: whose files are read.
        load: reads them.
        made: makes small tasks of the same form, which stand in where files are missing; None:
            nothing does.
        few: take so many examples of every task, given part and class; all when None.
    """

    sets: tuple[FileSet, ...]
    load: Callable[[], TaskSet]
    made: Callable[[], TaskSet] | None = None
    few: int | None = None

    def tasks(
        self,
        seed: int,
    ) -> TaskSet:
        """See :meth:`TaskData.tasks`.

        Raises:
            FileNotFoundError: files are missing, and nothing stands in for them.
        """
        tasks = self.load() if self.made is None or not self.missing else self.made()
        return tasks if self.few is None else fewer(tasks, self.few)

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.sets)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.sets if each.missing)

    @property
    def is_made(self) -> bool:
        return self.made is not None and bool(self.missing)

    def reduced(
        self,
        few: int,
    ) -> TaskData:
        """See :meth:`TaskData.reduced`."""
        return replace(self, few=few)


def fewer(
    tasks: TaskSet,
    count: int,
) -> TaskSet:
    """The first so many examples of every task, given part and class; where tasks see the same
    rows, the rows of these.
    """
    label = labels_of(tasks) * (len(PARTS) + 1) + given_parts_of(tasks) + 1
    is_first = pd.Series(label).groupby(label).cumcount().to_numpy() < count
    if tasks.one_input:
        is_first = np.isin(tasks.rows, tasks.rows[is_first])
    return tasks.select(np.flatnonzero(is_first))


@dataclass(frozen=True)
class Drawn(TaskData):
    """Tasks that a generator draws, others for every seed.

    Args:
        draw: seed → tasks.
        few: take so many examples of every task and class; all when None.
    """

    draw: Callable[[int], TaskSet]
    few: int | None = None

    def tasks(
        self,
        seed: int,
    ) -> TaskSet:
        """See :meth:`TaskData.tasks`."""
        tasks = self.draw(seed)
        return tasks if self.few is None else fewer(tasks, self.few)

    def reduced(
        self,
        few: int,
    ) -> TaskData:
        """See :meth:`TaskData.reduced`."""
        return replace(self, few=few)

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    @property
    def missing(self) -> tuple[str, ...]:
        return ()

    @property
    def is_made(self) -> bool:
        return False


@dataclass(frozen=True)
class Changed(TaskData):
    """Tasks of other data, changed by a seed: made unrelated, for a control.

    The same entries train and test as in the data: rows that tasks have in common there, by which a
    joint decision of all tasks is judged, stay together.

    Args:
        data: the tasks as they are.
        change: (tasks, seed) → tasks of the same entries.
    """

    data: TaskData
    change: Callable[[TaskSet, int], TaskSet]

    def tasks(
        self,
        seed: int,
    ) -> TaskSet:
        """See :meth:`TaskData.tasks`."""
        return self.change(self.data.tasks(seed), seed)

    def reduced(
        self,
        few: int,
    ) -> TaskData:
        """See :meth:`TaskData.reduced`."""
        return replace(self, data=self.data.reduced(few))

    @property
    def divided_as(self) -> TaskData:
        """See :attr:`TaskData.divided_as`."""
        return self.data.divided_as

    @property
    def needs(self) -> tuple[str, ...]:
        return self.data.needs

    @property
    def missing(self) -> tuple[str, ...]:
        return self.data.missing

    @property
    def is_made(self) -> bool:
        return self.data.is_made
