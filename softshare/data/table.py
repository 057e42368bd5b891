"""Tasks from a table: a file, several, or a pandas data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from softshare.data.large_table import read_large
from softshare.data.roles import Roles, about
from softshare.data.several_files import FILE, files_of, read_files, told_of
from softshare.data.table_file import is_larger, numbers_where_meant, read_frame
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

LARGE = 1 << 30
CHUNK_ROWS = 100_000
"""Bytes, unpacked, from which a file is read some rows at a time, and how many."""


def read_table(
    table: str | Path | Sequence[str | Path] | pd.DataFrame,
    *,
    target: str | Sequence[str],
    task: str | Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | Kind | None = None,
    drop: Sequence[str] = (),
    split: str | None = None,
    group: str | None = None,
    chunk_rows: int | None = None,
    sheet: str | None = None,
) -> TaskSet:
    """Tasks from the rows and columns of a table.

    With ``task``, every row is an example of the task that this column names. Without it, every
    target column is a task and all tasks see the same rows. All columns with no other use are
    inputs; they become numbers only after the split, by what the training rows say
    (:func:`softshare.tasks.preprocessing.prepare`). Empty fields, ``?``, ``NA``, ``NaN``, ``null``
    and ``None`` are missing values. A first column without a name is a saved index, and left out.

    Args:
        table: a file (``.csv``, ``.tsv``, ``.jsonl`` or ``.ndjson``, packed as ``.gz``, ``.bz2``,
            ``.xz`` or ``.zip`` perhaps; ``.parquet``, ``.feather``; ``.xlsx``, ``.xls``,
            ``.ods``), or a data frame. Several files of the same columns are one table: a list, a
            folder, or a pattern such as ``"visits-*.csv"``. Then ``task="file"`` (or ``split`` or
            ``group``) takes the files' names, without their endings, for a column.
        target: the column to predict, or several, each a task (of every level of the task column,
            where there is one: ``("north", "readmitted")``); a pattern such as ``"tox_*"`` means
            all columns that it matches, here and for ``drop``.
        task: the column that names the task of each row; several columns name it by several
            factors.
        kinds: the kind of every target, or target column → kind; inferred where not given
            (:func:`softshare.tasks.targets.infer_kind`).
        drop: columns to leave out, such as identifiers.
        split: a column with the given part of each row: ``train``, ``validation`` (``val``,
            ``valid``, ``dev``) or ``test``.
        group: a column whose equal values (a patient) stay in one part.
        chunk_rows: hold so many rows in memory at a time, and keep the inputs as an array of
            numbers in the cache folder; files of more than a gigabyte, unpacked, are read so in
            any case.
        sheet: of a workbook; the only one with cells when None.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the library that reads such a file is not installed.
        ValueError: the file cannot be read, a column does not exist or has two uses, or its values
            do not fit its use.
    """
    roles = Roles.given(
        kinds,
        target=target,
        task=task,
        drop=drop,
        split=split,
        group=group,
    )
    _check_types(table, chunk_rows)
    if isinstance(table, pd.DataFrame):
        return _in_memory(read_frame(table), roles)
    paths = files_of(table)
    with about(told_of(paths)):
        if chunk_rows is not None or any(is_larger(path, LARGE) for path in paths):
            rows = CHUNK_ROWS if chunk_rows is None else chunk_rows
            return read_large(paths, roles, rows, sheet=sheet)
        return _in_memory(read_files(paths, sheet=sheet, named=FILE in roles.columns), roles)


def _in_memory(frame: pd.DataFrame, roles: Roles) -> TaskSet:
    roles = roles.among(list(frame.columns))
    roles.check(list(frame.columns))
    return roles.tasks(frame, frame.drop(columns=roles.columns).apply(numbers_where_meant))


def _check_types(table: object, chunk_rows: object) -> None:
    is_one = isinstance(table, str | Path | pd.DataFrame)
    if not is_one:
        files = table if isinstance(table, list | tuple) else [None]
        is_one = all(isinstance(file, str | Path) for file in files)
    if not is_one:
        rule = "must be a file's name, several in a list, or a pandas data frame"
        raise ArgumentError(("table", f"{rule}, got {type(table).__name__}"))
    if chunk_rows is not None and not isinstance(chunk_rows, int):
        raise ArgumentError(("chunk_rows", f"must be a whole number, got {chunk_rows!r}"))
