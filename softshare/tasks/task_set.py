"""Several tasks and their examples, held in columns.

A task set never holds one Python object an example, nor one array a task: all examples stand in a
few long arrays (compressed sparse rows), so a hundred thousand tasks cost what their rows cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softshare.tasks.columns import (
    Entries,
    Kinds,
    check_lengths,
    column_of,
    encode_all,
    encode_panel,
    entries_by_task,
    entries_of,
    names_of,
    offsets_of,
)
from softshare.tasks.crossed import crossed
from softshare.tasks.sources import (
    Source,
    as_source,
    digest_of,
    merge,
    rows_before_merging,
    take,
)
from softshare.tasks.table_use import TableUse
from softshare.tasks.targets import encode_target
from softshare.tasks.task import Kind, Task, TaskName, label_of, no_such_task
from softshare.tasks.task_table import TASKS_SHOWN, table_of
from softshare.tasks.weights import (
    checked_weights,
    entries_that_count,
    over_task_means,
    weights_by_task,
)

if TYPE_CHECKING:
    from softshare.tasks.look import Look

__all__ = ["Source", "TaskSet", "as_source", "take"]

Fractions = Sequence[float]
FRACTIONS: Fractions = (0.6, 0.2, 0.2)  # training, validation, test


@dataclass(frozen=True, eq=False)
class TaskSet:
    """Named tasks, their inputs and their targets.

    An *entry* is one labelled example of one task. Entries are sorted by task; those of task ``t``
    are ``offsets[t]:offsets[t + 1]``. A missing label is an entry that does not exist: it costs
    nothing and teaches nothing.

    Args:
        tasks: the tasks, in the order of the task axis.
        sources: where inputs come from; tasks of one input form share a source.
        source_of: for every task the number of its source.
        offsets: where each task's entries begin.
        rows: for every entry its row in the task's source.
        targets: for every entry its target (0/1, number of the class, or the value itself).
        one_input: every task sees the same rows (one table with several target columns), so a
            batch of rows serves all tasks at once.
        groups: for every source the group of each row (a patient), or None; a split keeps the
            rows of one group together. Empty: no source has groups.
        parts: for every source the given part of each row (``"train"``, ``"validation"``,
            ``"test"``), or None; see :func:`softshare.tasks.splits.split`. Empty: none is given.
        train_fraction_of_all: a training fraction is of all examples, and what is not trained on
            validates and tests, instead of being of the training part; see
            :func:`softshare.tasks.splits.split`.
        preprocessing: for every source what turned its raw columns into numbers, or None.
        target_scaling: mean and standard deviation by which regression targets were
            standardised, or None while targets are in their own units.
        one_unit: whether the regression targets of all tasks are one quantity in one unit, as the
            rows of one column are, so that one scale serves all; None: their spread tells.
        units: for every task the number of the quantity that it predicts, where tasks differ in it
            and that is known: one scale serves those of one quantity. None: see ``one_unit``.
        notes: what was done to the data that its owner should know (imputed columns, dropped
            tasks).
        row_numbers: for every source the number of each row where it came from (its table, its
            task's own array), or None where rows stand as they came; see :meth:`source_rows`.
            Empty: all stand so.
        table: what the columns of the table were for that the tasks were read from, or None.
        weights: how much each entry counts in training and in metrics, above 0; None: all the same.

    Raises:
        ValueError: there is no task, or two tasks have one name.

    Shape:
        source_of ``(T,)``, offsets ``(T + 1,)``, rows, targets and weights ``(entries,)``,
        target_scaling ``(T, 2)``.
    """

    tasks: tuple[Task, ...]
    sources: tuple[Source, ...]
    source_of: np.ndarray
    offsets: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    one_input: bool = False
    groups: tuple[np.ndarray | None, ...] = ()
    parts: tuple[np.ndarray | None, ...] = ()
    train_fraction_of_all: bool = False
    preprocessing: tuple[Any, ...] = ()
    target_scaling: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    row_numbers: tuple[np.ndarray | None, ...] = ()
    one_unit: bool | None = None
    units: np.ndarray | None = None
    table: TableUse | None = None
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ValueError("a task set needs at least one task, got none")
        for number, task in enumerate(self.tasks):
            if self._numbers[task.name] != number:
                raise ValueError(
                    f"two tasks are called {task.label!r}; every task needs a name of its own"
                )

    @classmethod
    def from_arrays(
        cls,
        data: Mapping[Any, tuple[Any, Any]],
        *,
        kinds: Kinds = None,
        weights: Mapping[Any, Any] | None = None,
    ) -> TaskSet:
        """Tasks with inputs of their own.

        Args:
            data: task name → (inputs ``(N_t, *shape_t)``, targets ``(N_t,)``); shapes and numbers
                of examples may differ between tasks.
            kinds: the kind of every task, or of all; inferred where not given (see
                :func:`softshare.tasks.targets.infer_kind`).
            weights: task name → ``(N_t,)``, how much each row counts, from 0 on; of all tasks.

        Raises:
            ValueError: there is no task, or a task's inputs and targets do not fit.
        """
        inputs = []
        for name, (source, _) in data.items():
            try:
                inputs.append(as_source(source))
            except ValueError as error:
                raise ValueError(f"task {label_of(name)!r}: {error}") from None
        target_of = {name: target for name, (_, target) in data.items()}
        columns = encode_all(target_of, kinds)
        check_lengths(columns, [len(source) for source in inputs])
        sources, source_of, start_of = merge(inputs)
        offsets, rows, targets = entries_of([values for _, values in columns])
        of_entries = None
        if weights is not None:
            lengths = {name: len(source) for name, source in zip(data, inputs, strict=True)}
            of_tasks = weights_by_task(weights, lengths)
            own = zip(of_tasks, np.split(rows, offsets[1:-1]), strict=True)
            of_entries = np.concatenate([of_task[numbers] for of_task, numbers in own])
        rows += np.repeat(start_of, np.diff(offsets))
        made = cls(
            tuple(task for task, _ in columns),
            tuple(sources),
            source_of,
            offsets,
            rows,
            targets,
            row_numbers=rows_before_merging(inputs, source_of),
        )
        return made.with_weights(of_entries)

    @classmethod
    def from_shared_inputs(
        cls,
        inputs: Any,
        targets: Mapping[Any, Any],
        *,
        kinds: Kinds = None,
        groups: Any = None,
        parts: Any = None,
        weights: Any = None,
    ) -> TaskSet:
        """One input for all tasks, a column of targets per task, some labels missing (NaN or None).

        Args:
            inputs: ``(N, *shape)``, or a data frame of ``N`` rows.
            targets: task name → ``(N,)``.
            kinds: the kind of every task, or of all; inferred where not given. Of several columns,
                one that is empty or has one class only is a task too small to be split, as long
                as another is not (:meth:`drop_small_tasks`).
            groups: ``(N,)`` the group of each row, kept together by a split.
            parts: ``(N,)`` the given part of each row.
            weights: ``(N,)`` how much each row counts, from 0 on.

        Raises:
            ValueError: there is no task, or a column's length is not ``N``.
        """
        source = as_source(inputs)
        columns = encode_panel(targets, kinds)
        check_lengths(columns, [len(source)] * len(columns))
        entries = entries_of([values for _, values in columns])
        return cls._on(
            [task for task, _ in columns],
            source,
            entries,
            one_input=True,
            groups=groups,
            parts=parts,
            weights=weights,
        )

    @classmethod
    def from_task_column(
        cls,
        inputs: Any,
        target: Any,
        task: Any,
        *,
        kind: Kind | Mapping[Any, Kind] | None = None,
        groups: Any = None,
        parts: Any = None,
        weights: Any = None,
    ) -> TaskSet:
        """Every row an example of one task, which a column names; or of several, each with a target
        of its own.

        All tasks have the kind of the whole target column and its classes, so their outputs are of
        one form.

        Args:
            inputs: ``(N, *shape)``, or a data frame of ``N`` rows.
            target: ``(N,)``; rows without a label are left out. Several, by their names, in a
                mapping or a data frame, make tasks of two factors: ``("north", "readmitted")``;
                pairs without a label are no tasks, and noted.
            task: ``(N,)`` the task of each row; its different values, sorted, are the tasks' names.
                A data frame of several columns, or tuples, name tasks by several factors.
            kind: the kind of all tasks, or of every target; inferred from the whole column when
                None.
            groups: as in :meth:`from_shared_inputs`.
            parts: as in :meth:`from_shared_inputs`.
            weights: as in :meth:`from_shared_inputs`.

        Raises:
            ValueError: columns differ in length, or a row has no task.
        """
        source = as_source(inputs)
        names, number_of_row = names_of(task)
        if isinstance(target, Mapping | pd.DataFrame):
            several = {str(name): target[name] for name in target}
            found = crossed(several, names, number_of_row, kind, n_inputs=len(source))
            made = cls._on(
                list(found.tasks),
                source,
                found.entries,
                groups=groups,
                parts=parts,
                weights=weights,
            )
            return replace(made, units=found.units, notes=(*found.notes(), *made.notes))
        if isinstance(kind, Mapping):
            raise ValueError(f"kind: one target has one kind, got {dict(kind)!r}")
        called = getattr(target, "name", None) or "column"
        like, values = encode_target(
            "",
            target,
            kind,
            called=f"target {called!r}",
        )
        if not len(source) == len(values) == len(number_of_row):
            raise ValueError(
                f"inputs, target and task must have one length, got {len(source)}, "
                f"{len(values)} and {len(number_of_row)}"
            )
        entries = entries_by_task(values, number_of_row, len(names))
        tasks = [replace(like, name=name) for name in names]
        made = cls._on(tasks, source, entries, groups=groups, parts=parts, weights=weights)
        return replace(made, one_unit=True)

    @classmethod
    def _on(
        cls,
        tasks: list[Task],
        source: Source,
        entries: Entries,
        *,
        groups: Any,
        parts: Any,
        weights: Any,
        one_input: bool = False,
    ) -> TaskSet:
        made = cls(
            tuple(tasks),
            (source,),
            np.zeros(len(tasks), dtype=np.int64),
            *entries,
            one_input,
        )
        made = replace(made, groups=column_of(source, groups), parts=column_of(source, parts))
        if weights is None:
            return made
        return made.with_weights(checked_weights(weights, len(source))[made.rows])

    def __len__(self) -> int:
        return len(self.tasks)

    def __repr__(self) -> str:
        return (
            f"TaskSet({len(self)} tasks, {len(self.rows)} examples, {len(self.sources)} input "
            "source(s))"
        )

    def _repr_html_(self) -> str:
        shapes = [self.input_shape(number) for number in range(min(len(self), TASKS_SHOWN))]
        return table_of(
            repr(self),
            self.tasks,
            self.n_examples,
            shapes,
        )

    @property
    def names(self) -> tuple[TaskName, ...]:
        """The tasks' names, in the order of the task axis."""
        return tuple(task.name for task in self.tasks)

    @property
    def n_examples(self) -> np.ndarray:
        """Labelled examples of every task, shape ``(T,)``."""
        return np.diff(self.offsets)

    @cached_property
    def task_of(self) -> np.ndarray:
        """The task of every entry, shape ``(entries,)``."""
        return np.repeat(np.arange(len(self)), self.n_examples)

    @cached_property
    def _numbers(self) -> dict[TaskName, int]:
        return {task.name: number for number, task in enumerate(self.tasks)}

    def index(self, name: TaskName) -> int:
        """The place of a task on the task axis.

        Raises:
            KeyError: there is no such task.
        """
        if name not in self._numbers:
            raise no_such_task(name, self.tasks)
        return self._numbers[name]

    def input_shape(self, task: int) -> tuple[int, ...]:
        """Shape of one input of this task."""
        return tuple(self.sources[self.source_of[task]].shape[1:])

    def entries(self, task: int) -> slice:
        """Where this task's entries stand."""
        return slice(int(self.offsets[task]), int(self.offsets[task + 1]))

    def examples(self, task: int) -> tuple[Tensor, Tensor]:
        """All inputs ``(N_t, *shape)``, floats in torch's default precision, and targets ``(N_t,)``
        of one task.
        """
        entries = self.entries(task)
        inputs = take(self.sources[self.source_of[task]], self.rows[entries])
        if inputs.is_floating_point():
            inputs = inputs.to(torch.get_default_dtype())
        return inputs, torch.from_numpy(self.targets[entries])

    @cached_property
    def loss_weights(self) -> np.ndarray | None:
        """Each entry's weight over the mean of its task's, ``(entries,)``: the mean of losses times
        these is a task's weighted mean loss. None where all entries count the same.
        """
        if self.weights is None:
            return None
        return over_task_means(self.weights, self.task_of, len(self))

    def weights_of(self, task: int) -> np.ndarray | None:
        """The weights of one task's entries, ``(N_t,)``, or None where all count the same."""
        return None if self.weights is None else self.weights[self.entries(task)]

    def with_weights(self, weights: np.ndarray | None) -> TaskSet:
        """The same examples, each counting as much as its weight says; those of weight 0 are left
        out, and a note says how many.

        Args:
            weights: ``(entries,)``, from 0 on; None: all count the same.

        Raises:
            ValueError: a task has examples of weight 0 alone.
        """
        if weights is None:
            return replace(self, weights=None)
        counted = entries_that_count(weights, self.task_of, self.tasks)
        weighted = replace(self, weights=np.asarray(weights, dtype=np.float64))
        if counted.all():
            return weighted
        note = f"{int((~counted).sum())} example(s) of weight 0 are left out"
        return replace(weighted.select(counted), notes=(*self.notes, note))

    def source_rows(self, entries: np.ndarray | None = None) -> np.ndarray:
        """Where these entries' inputs came from: rows of the table that was read, of the task's own
        array, or of the one that all tasks share.

        Rows count from 0, the header of a file not counted, as ``pandas.read_csv(file).iloc`` has
        them; rows that were left out when a table was read count too.

        Args:
            entries: numbers of entries, or a mask; all when None.

        Shape:
            ``(len(entries),)``.
        """
        chosen = np.arange(len(self.rows)) if entries is None else np.asarray(entries)
        rows, source = self.rows[chosen], self.source_of[self.task_of[chosen]]
        for number, numbers in enumerate(self.row_numbers):
            if numbers is not None:
                here = source == number
                rows[here] = numbers[rows[here]]
        return rows

    def select(self, entries: np.ndarray) -> TaskSet:
        """The same tasks with only these entries (numbers, or a mask), inputs not copied."""
        entries = np.flatnonzero(entries) if entries.dtype == bool else np.sort(entries)
        counts = np.bincount(self.task_of[entries], minlength=len(self))
        return replace(
            self,
            offsets=offsets_of(counts),
            rows=self.rows[entries],
            targets=self.targets[entries],
            weights=None if self.weights is None else self.weights[entries],
        )

    def keep_tasks(self, numbers: Sequence[int] | np.ndarray) -> TaskSet:
        """Only these tasks, in this order."""
        kept = np.asarray(numbers, dtype=np.int64)
        offsets = offsets_of(self.n_examples[kept])
        # every kept task's run of entries moves from where it began to where it begins now
        moved = self.offsets[kept] - offsets[:-1]
        entries = np.arange(offsets[-1]) + np.repeat(moved, np.diff(offsets))
        scaling = self.target_scaling
        return replace(
            self,
            tasks=tuple(self.tasks[number] for number in kept),
            source_of=self.source_of[kept],
            offsets=offsets,
            rows=self.rows[entries],
            targets=self.targets[entries],
            weights=None if self.weights is None else self.weights[entries],
            target_scaling=None if scaling is None else scaling[kept],
            units=None if self.units is None else self.units[kept],
        )

    def joined(self, *others: TaskSet) -> TaskSet:
        """These tasks and those of other sets as one set, every task with the inputs that it had.

        ``TaskSet.joined(a, b)`` is ``a.joined(b)``. Sets that are divided in different ways (given
        parts in one, a training fraction of all examples in another) are split first, and the parts
        of the splits joined. Tasks of different sets predict different quantities, each in its own
        unit.

        Raises:
            ValueError: two tasks have one name, a training fraction does not mean the same in all
                sets, or some are prepared for training and others are not.
        """
        from softshare.tasks.joined_sets import joined  # which is written in terms of this class

        return joined([self, *others])

    def renamed(self, names: str | Mapping[TaskName, TaskName]) -> TaskSet:
        """The same tasks under other names.

        Args:
            names: old name → new name, of those that change; or a text to put before every name.

        Raises:
            KeyError: there is no task of a name.
            ValueError: two tasks would have one name.
        """
        from softshare.tasks.joined_sets import renamed  # which is written in terms of this class

        return renamed(self, names)

    def split(
        self,
        *,
        seed: int,
        fractions: Fractions = FRACTIONS,
        train_fraction: float = 1.0,
        standardise: bool = True,
    ) -> tuple[TaskSet, TaskSet, TaskSet]:
        """Training, validation and test examples, their inputs turned into numbers by what the
        training rows say.

        See :func:`softshare.tasks.splits.split` and :func:`softshare.tasks.preprocessing.prepare`;
        without ``standardise`` vectors stay as they are, as numbers of tokens must.

        Raises:
            ValueError: a task has too few rows for three parts, or an input cannot be turned into
                numbers.
        """
        from softshare.tasks.preprocessing import prepare  # both are written in terms of this class
        from softshare.tasks.splits import split

        divided = split(
            self,
            seed=seed,
            fractions=fractions,
            train_fraction=train_fraction,
        )
        return prepare(self, divided, standardise=standardise)

    def look(self) -> Look:
        """What was understood of the data: tasks, targets, and how every column of a table is read.

        Nothing is trained. A notebook shows it as tables, ``print`` as text.
        """
        from softshare.tasks.look_at import look_at  # which is written in terms of this class

        return look_at(self)

    def drop_small_tasks(
        self, *, fractions: Fractions = FRACTIONS, train_fraction: float = 1.0
    ) -> TaskSet:
        """The same set without the tasks that :meth:`split` with these fractions would refuse, and
        a note that says which.

        Raises:
            ValueError: no task is left.
        """
        from softshare.tasks.splits import drop_small_tasks

        return drop_small_tasks(self, fractions=fractions, train_fraction=train_fraction)

    def fingerprint(self) -> str:
        """A digest of the data: equal for equal tasks, inputs, targets and weights, whatever
        machine made it.
        """
        tasks = [(task.name, task.kind, task.n_outputs, task.classes) for task in self.tasks]
        return digest_of(
            repr(tasks),
            self.source_of,
            self.offsets,
            self.rows,
            self.targets,
            *(() if self.weights is None else ("weights", self.weights)),
            *self.sources,
        )
