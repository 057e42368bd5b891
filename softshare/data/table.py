"""Tasks from a table: a CSV or Parquet file, or a pandas data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from softshare.data.names import near
from softshare.data.table_file import numbers_where_meant, read_frame
from softshare.tasks.splits import PARTS
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

_PARTS = {part: part for part in PARTS} | {"training": "train", "val": "validation", "valid": "validation", "dev": "validation"}


def read_table(
    table: str | Path | pd.DataFrame,
    *,
    target: str | Sequence[str],
    task: str | Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | Kind | None = None,
    drop: Sequence[str] = (),
    split: str | None = None,
    group: str | None = None,
) -> TaskSet:
    """Tasks from the rows and columns of a table.

    With ``task``, every row is an example of the task that this column names. Without it, every target
    column is a task and all tasks see the same rows. All columns with no other use are inputs; they become
    numbers only after the split, by what the training rows say (:func:`softshare.tasks.preprocessing.prepare`).
    Empty fields, ``?``, ``NA``, ``NaN``, ``null`` and ``None`` are missing values.

    Args:
        table: a file (``.csv``, ``.tsv``, either may end in ``.gz``, or ``.parquet``), or a data frame.
        target: the column to predict, or several, each a task.
        task: the column that names the task of each row; several columns name it by several factors.
        kinds: the kind of every target, or target column → kind; inferred where not given
            (:func:`softshare.tasks.targets.infer_kind`).
        drop: columns to leave out, such as identifiers.
        split: a column with the given part of each row: ``train``, ``validation`` (``val``, ``valid``, ``dev``) or ``test``.
        group: a column whose equal values (a patient) stay in one part.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: a Parquet file, and pyarrow is not installed.
        ValueError: the file cannot be read, a column does not exist or has two uses, or its values do not fit its use.
    """
    frame = read_frame(table)
    roles = {"target": _listed(target), "task": _listed(task), "drop": _listed(drop), "split": _listed(split), "group": _listed(group)}
    _check_roles(frame, roles)
    inputs = frame.drop(columns=[name for names in roles.values() for name in names]).apply(numbers_where_meant)
    targets = {name: numbers_where_meant(frame[name]) for name in roles["target"]}
    kind_of = _kind_of(kinds, roles["target"])
    groups = None if group is None else _groups(frame[group])
    parts = None if split is None else _parts(frame[split])
    if not roles["task"]:
        return TaskSet.from_shared_inputs(inputs, targets, kinds=kind_of, groups=groups, parts=parts)
    ((name, values),) = targets.items()
    tasks = TaskSet.from_task_column(inputs, values, frame[roles["task"]], kind=kind_of.get(name), groups=groups, parts=parts)
    unlabelled = int(values.isna().sum())
    return replace(tasks, notes=(f"{unlabelled} row(s) without a value of {name!r} are left out",)) if unlabelled else tasks


def _listed(names: str | Sequence[str] | None) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def _check_roles(frame: pd.DataFrame, roles: Mapping[str, list[str]]) -> None:
    """Report all that is wrong with the columns named, together."""
    given = [(role, name) for role, names in roles.items() for name in names]
    errors = [f"{role}: no column {name!r}, {near(name, frame.columns)}" for role, name in given if name not in frame.columns]
    names = [name for _, name in given]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        errors.append(f"column {name!r} has several uses ({', '.join(role for role, other in given if other == name)}); it can have one")
    if not roles["target"]:
        errors.append("target: name at least one column to predict")
    if roles["task"] and len(roles["target"]) > 1:
        errors.append(f"target: with a task column there is one target, got {', '.join(roles['target'])}")
    if not errors and len(names) == frame.shape[1]:
        errors.append(f"no column is left as input; the table has {', '.join(frame.columns)}")
    if errors:
        raise ValueError("; ".join(errors))


def _kind_of(kinds: Mapping[str, Kind] | Kind | None, targets: Sequence[str]) -> dict[str, Kind]:
    if not isinstance(kinds, Mapping):
        return {} if kinds is None else dict.fromkeys(targets, kinds)
    unknown = [f"{name!r} is no target, {near(name, targets)}" for name in kinds if name not in targets]
    if unknown:
        raise ValueError(f"kinds: {'; '.join(unknown)}")
    return dict(kinds)


def _groups(column: pd.Series) -> np.ndarray:
    empty = column.isna()
    if empty.any():
        raise ValueError(f"group: column {column.name!r} is empty in {int(empty.sum())} row(s), the first is row {int(empty.argmax()) + 1}")
    return column.to_numpy()


def _parts(column: pd.Series) -> np.ndarray:
    words = column.astype(str).str.strip().str.lower()
    parts = words.map(_PARTS)
    if parts.isna().any():
        row = int(parts.isna().argmax())
        raise ValueError(f"split: column {column.name!r} must say {', '.join(PARTS)}, found {column[row]!r} in row {row + 1}")
    absent = {"train", "test"} - set(parts)
    if absent:
        raise ValueError(f"split: column {column.name!r} names no row for {' and '.join(sorted(absent))}")
    return parts.to_numpy(dtype=object)
