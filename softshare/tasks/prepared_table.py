"""The columns of a table turned into features after the split, whether they are in memory or on
disk.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softshare.tasks.encoded_columns import EncodedColumns, rows_at_once
from softshare.tasks.features import TableColumns
from softshare.tasks.sources import Source, Transformed, take
from softshare.tasks.target_encoding import Outcome, folds_of
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

MOST_OUTCOMES = 20
"""What many categories are encoded by: no more targets or classes, those with the most rows."""


def prepare_table(
    tasks: TaskSet,
    number: int,
    entries: np.ndarray,
) -> tuple[TableColumns, Source, tuple[str, ...]]:
    """What was fitted on the training rows of a table, its rows as features, and notes.

    Args:
        tasks: whose source it is.
        number: of the source.
        entries: numbers of its training entries.

    Raises:
        ValueError: a column cannot be an input, or none is left.
    """
    source = tasks.sources[number]
    table, cautions = source, []
    if isinstance(source, pd.DataFrame):
        table = EncodedColumns.of(source)
        cautions = [caution for reading in table.readings for caution in reading.cautions]
    training = np.unique(tasks.rows[entries])
    has_many = any(reading.kind == "many" for reading in table.used)
    if not has_many:
        columns, notes, _ = table.fit(training)
        return columns, _features_of(table, columns), (*cautions, *notes)
    groups = tasks.groups[number] if tasks.groups else None
    folds = folds_of(
        training,
        len(table),
        groups,
    )
    columns, notes, of_rows = table.fit(
        training,
        folds,
        outcomes_of(tasks, entries),
    )
    first = columns.feature_names.index(columns.encoded_names[0]) if columns.encodings else 0
    features = _features_of(table, columns)
    if isinstance(features, Tensor):
        places = slice(first, first + of_rows.shape[1])
        features[training, places] = torch.from_numpy(of_rows[training]).float()
        return columns, features, (*cautions, *notes)
    return (
        columns,
        _CrossFitted(
            features,
            first,
            folds >= 0,
            of_rows,
        ),
        (*cautions, *notes),
    )


def outcomes_of(tasks: TaskSet, entries: np.ndarray) -> list[Outcome]:
    """What these entries' targets say of their rows: of tasks that are one column of targets all
    together, else of each task.
    """
    numbers = np.unique(tasks.task_of[entries])
    kinds = {(tasks.tasks[number].kind, tasks.tasks[number].classes) for number in numbers}
    # a row with targets of several tasks has them apart
    is_one_column = len(np.unique(tasks.rows[entries])) == len(entries)
    if len(kinds) == 1 and is_one_column and not tasks.one_input:
        outcomes = _outcomes(
            tasks,
            tasks.tasks[numbers[0]],
            entries,
            "",
        )
    else:
        outcomes = []
        for number in numbers:
            task = tasks.tasks[number]
            own = entries[tasks.task_of[entries] == number]
            outcomes += _outcomes(
                tasks,
                task,
                own,
                task.label,
            )
    by_size = sorted(outcomes, key=lambda outcome: -len(outcome.rows))
    return by_size[:MOST_OUTCOMES]


def _outcomes(tasks: TaskSet, task: Task, entries: np.ndarray, name: str) -> list[Outcome]:
    rows, targets = tasks.rows[entries], tasks.targets[entries]
    if task.kind != "multiclass":
        return [
            Outcome(
                name,
                rows,
                targets,
            )
        ]
    found = []
    for number, class_name in enumerate(task.classes):
        told = f"{name} = {class_name}" if name else class_name
        found.append(
            Outcome(
                told,
                rows,
                (targets == number).astype(np.float64),
            )
        )
    often = sorted(found, key=lambda outcome: -float(outcome.values.sum()))
    return often[:MOST_OUTCOMES]


def _features_of(table: EncodedColumns, columns: TableColumns) -> Source:
    """The features of all rows: at once where the table is in memory, else where they are read."""
    features = partial(table.features, columns)
    width = len(columns.feature_names)
    if isinstance(table.values, np.ndarray) and not isinstance(table.values, np.memmap):
        made = torch.empty(len(table), width)
        for rows in rows_at_once(len(table)):
            made[rows[0] : rows[-1] + 1] = features(table[rows])
        return made
    return Transformed(
        table,
        features,
        width=width,
    )


class _CrossFitted:
    """Features of which some are other ones in rows that train.

    Args:
        features: what rows are read from.
        first: the place of the first of these features.
        trains: which rows train, ``(N,)``.
        of_rows: what these get, ``(N, some)``.
    """

    def __init__(
        self,
        features: Source,
        first: int,
        trains: np.ndarray,
        of_rows: np.ndarray,
    ) -> None:
        self._features, self._first = features, first
        self._trains, self._of_rows = trains, of_rows.astype(np.float32)
        self.shape = tuple(features.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        taken = take(self._features, rows)
        chosen = self._trains[rows]
        places = slice(self._first, self._first + self._of_rows.shape[1])
        taken[torch.from_numpy(chosen), places] = torch.from_numpy(self._of_rows[rows[chosen]])
        return taken
