"""Tasks from a table: a file, several, or a pandas data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from softshare.data.large_table import read_large
from softshare.data.roles import Roles, about
from softshare.data.several_files import (
    FILE,
    files_of,
    read_files,
    read_files_in_chunks,
    told_of,
)
from softshare.data.table_file import is_larger, read_frame
from softshare.data.text_table import FileForm
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.asking import Asking
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.reading import Asked
from softshare.tasks.table_reading import with_usual_decimal
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

LARGE = 1 << 30
CHUNK_ROWS = 100_000
"""Bytes, unpacked, from which a file is read some rows at a time, and how many."""

FIRST_ROWS = 100
"""As many as tell what columns there are."""


def read_table(
    table: str | Path | Sequence[str | Path] | pd.DataFrame,
    *,
    target: str | Sequence[str],
    task: str | Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | Kind | None = None,
    drop: Sequence[str] = (),
    split: str | None = None,
    group: str | None = None,
    weight: str | None = None,
    chunk_rows: int | None = None,
    sheet: str | None = None,
    columns: Mapping[str, Asked] | None = None,
    positive: str | None = None,
    na: Sequence[str] | None = None,
    decimal: str | None = None,
    sep: str | None = None,
    encoding: str | None = None,
) -> TaskSet:
    """Tasks from the rows and columns of a table.

    With ``task``, every row is an example of the task that this column names. Without it, every
    target column is a task and all tasks see the same rows. All columns with no other use are
    inputs; they become numbers only after the split, by what the training rows say
    (:func:`softshare.tasks.preprocessing.prepare`). How each column is read, and why, is shown by
    ``look()`` of what is returned. A first column without a name is a saved index, and left out.

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
        weight: a column that says how much each row counts, in training and in metrics: a number
            from 0 on, such as a survey's weight; rows of weight 0 are left out.
        chunk_rows: hold so many rows in memory at a time, and keep the inputs as an array of
            numbers in the cache folder; files of more than a gigabyte, unpacked, are read so in
            any case.
        sheet: of a workbook; the only one with cells when None.
        columns: column → how to read it, where it is not as it looks: ``number``, ``category``,
            ``date``, ``day-first`` or ``month-first`` (dates such as 3/4/2021), ``time``, ``drop``.
        positive: the positive class of a target of two classes; the one that says yes, or else the
            rarer, when None.
        na: the texts that mean missing, in place of the usual ones.
        decimal: what stands before the fraction of numbers, ``.`` or ``,``; told by the numbers
            when None.
        sep: what stands between the fields of a text file; told by its first lines when None.
        encoding: of a text file; UTF-8, or what its first bytes tell, when None.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the library that reads such a file is not installed.
        ValueError: the file cannot be read, a column does not exist or has two uses, or its values
            do not fit its use.
    """
    if decimal not in (None, ".", ","):
        raise ArgumentError(("decimal", f"must be '.' or ',', got {decimal!r}"))
    if sep is not None and len(sep) != 1:
        raise ArgumentError(("sep", f"must be one character, got {sep!r}"))
    texts = (na,) if isinstance(na, str) else na
    asking = Asking(dict(columns or {}), None if texts is None else tuple(texts), decimal)
    roles = Roles.given(
        kinds,
        positive=positive,
        asking=asking,
        target=target,
        task=task,
        drop=drop,
        split=split,
        group=group,
        weight=weight,
    )
    _check_types(table, chunk_rows)
    if isinstance(table, pd.DataFrame):
        return _in_memory(read_frame(table), roles)
    paths = files_of(table)
    form = FileForm(sep, encoding, sheet)
    with about(told_of(paths)):
        if chunk_rows is not None or any(is_larger(path, LARGE) for path in paths):
            rows = CHUNK_ROWS if chunk_rows is None else chunk_rows
            return read_large(paths, roles, rows, form=form)
        return _in_memory(read_files(paths, form=form, named=FILE in roles.columns), roles)


def column_names(
    table: str | Path,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> list[str]:
    """The names of a table's columns, as its first rows tell; for the arguments see
    :func:`read_table`.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the library that reads such a file is not installed.
        ValueError: the file cannot be read as a table, or has no rows.
    """
    form = FileForm(sep, encoding, sheet)
    for chunk in read_files_in_chunks(files_of(table), FIRST_ROWS, form=form):
        return list(chunk.columns)
    raise ValueError(f"{table} has no rows")


def _in_memory(frame: pd.DataFrame, roles: Roles) -> TaskSet:
    roles = roles.among(list(frame.columns))
    roles.check(list(frame.columns))
    roles = replace(roles, asking=with_usual_decimal(frame, roles.asking))
    inputs = frame.drop(columns=roles.needed)
    return roles.tasks(frame, EncodedColumns.of(inputs, roles.of_inputs))


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
