"""Reading a table as it stands: columns of numbers and of text."""

from __future__ import annotations

import csv
import io
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from softshare.data.names import near
from softshare.data.packed import PACKED, is_packed, opened, unpacked_name
from softshare.data.table_formats import (
    ARROW,
    JSON_LINES,
    SPREADSHEETS,
    is_arrow,
    is_json,
    is_sheet,
    json_chunks,
    parquet_chunks,
    parquet_file,
    read_arrow,
    read_json,
    read_sheet,
)

_TEXT = (".csv", ".tsv", *JSON_LINES)
SUFFIXES = (*_TEXT, *ARROW, *SPREADSHEETS)
"""Endings of the files that can be read; those of text may be packed (:data:`PACKED`)."""

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Texts that stand for a missing value."""

_MOSTLY = 0.9
"""A text column with at least this fraction of numbers is one of numbers with mistakes in it."""


def read_frame(
    table: str | Path | pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    sheet: str | None = None,
) -> pd.DataFrame:
    """The rows of a file or frame, with columns named by different texts.

    Args:
        table: a file or a frame.
        columns: all that is read of a Parquet or Feather file; the whole file when None.
        sheet: of a workbook; the only one with cells when None.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the library that reads such a file is not installed.
        ValueError: the file cannot be read as a table, has no rows, or two columns of one name.
    """
    frame = (
        table.reset_index(drop=True)
        if isinstance(table, pd.DataFrame)
        else _read_file(Path(table), columns, sheet)
    )
    where = "the data frame" if isinstance(table, pd.DataFrame) else f"{table}"
    names = [str(name) for name in frame.columns]
    _check_names(names, where)
    if frame.empty:
        raise ValueError(f"{where} has no rows")
    return frame.set_axis(names, axis=1)


def numbers_where_meant(column: pd.Series) -> pd.Series:
    """A column of numbers written as text as numbers; other columns as they are, with missing
    values marked.

    Raises:
        ValueError: nearly all values are numbers and some are not, or the values are lists or other
            objects.
    """
    if not (types.is_object_dtype(column) or types.is_string_dtype(column)) or isinstance(
        column.dtype, pd.CategoricalDtype
    ):
        return column
    try:
        present = column.where(column.notna() & ~column.isin(MISSING))
        if types.infer_dtype(present, skipna=True) == "boolean":
            return present.astype("boolean")
        present.nunique()  # what cannot be hashed cannot be compared
        numbers = pd.to_numeric(present, errors="coerce")
    except TypeError:
        raise ValueError(
            f"column {column.name!r} holds lists or other objects; leave it out (drop "
            f"{column.name!r})"
        ) from None
    wrong = numbers.isna().to_numpy() & present.notna().to_numpy()
    if not wrong.any():
        return numbers.astype(np.float64)
    if numbers.notna().sum() >= _MOSTLY * present.notna().sum():
        first = int(wrong.argmax())
        raise ValueError(
            f"column {column.name!r} holds numbers, but {int(wrong.sum())} value(s) are "
            f"not: {present.iloc[first]!r} in row {first + 1} "
            "(the header not counted); correct them, leave them empty, or leave the "
            f"column out (drop {column.name!r})"
        )
    return present


def read_chunks(
    path: Path,
    rows: int,
    texts: Sequence[str] = (),
    *,
    sheet: str | None = None,
) -> Iterator[pd.DataFrame]:
    """The rows of a file, so many at a time, as :func:`read_frame` would give them.

    Args:
        path: of the file.
        rows: how many.
        texts: columns that are left as they are written in a text file, as a part of a column may
            look like another type than all of it.
        sheet: of a workbook, which is in memory whole.

    Raises:
        As :func:`read_frame`.
    """
    check_file(path)
    with _naming(path):
        if path.name.lower().endswith(".parquet"):
            chunks = parquet_chunks(path, rows)
        elif is_json(path):
            chunks = json_chunks(path, rows)
        elif is_arrow(path) or is_sheet(path):
            whole = _read_file(path, None, sheet)
            chunks = (whole[begin : begin + rows] for begin in range(0, len(whole), rows))
        else:
            chunks = _text_chunks(path, rows, texts)
        for chunk in chunks:
            _check_names(list(map(str, chunk.columns)), str(path))
            yield chunk.reset_index(drop=True).set_axis(list(map(str, chunk.columns)), axis=1)


def is_larger(path: Path, size: int) -> bool:
    """Whether a table has more bytes than these when it is unpacked.

    Raises:
        As :func:`read_frame`.
    """
    check_file(path)
    with _naming(path):
        if path.name.lower().endswith(".parquet"):
            with parquet_file(path) as file:
                n_cells = file.metadata.num_rows * file.metadata.num_columns
                return bool(n_cells * np.dtype(np.float64).itemsize > size)
        if not is_packed(path):
            return path.stat().st_size > size
        n_bytes = 0
        with opened(path) as file:
            while part := file.read(1 << 20):
                n_bytes += len(part)
                if n_bytes > size:
                    return True
    return False


def _read_file(path: Path, columns: Sequence[str] | None, sheet: str | None) -> pd.DataFrame:
    check_file(path)
    with _naming(path):
        if is_arrow(path):
            return read_arrow(path, columns)
        if is_sheet(path):
            return _without_index(read_sheet(path, sheet))
        if is_json(path):
            return read_json(path)
        return _read_text(path)


def check_file(path: Path) -> None:
    """Make sure that there is a file which may be a table.

    Raises:
        FileNotFoundError: there is no such file; near names are told.
        ValueError: it is a folder, or its name is not a table's.
    """
    if not path.exists():
        siblings = (
            [other.name for other in path.parent.iterdir() if is_table(other)]
            if path.parent.is_dir()
            else []
        )
        raise FileNotFoundError(
            f"no such file: {path}{f'; {near(path.name, siblings)}' if siblings else ''}"
        )
    if path.is_dir() or not is_table(path):
        raise ValueError(
            f"{path} is {'a folder' if path.is_dir() else 'not a table that can be read'}; "
            f"a table ends in {', '.join(SUFFIXES)}, and text may be packed ({', '.join(PACKED)})"
        )


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its name."""
    name = path.name.lower()
    return name.endswith(SUFFIXES) or (is_packed(path) and unpacked_name(path).endswith(_TEXT))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Makes one kind of error of all that a damaged table raises."""
    try:
        yield
    except pd.errors.ParserWarning:
        raise ValueError(
            f"cannot read {path}: rows have more fields than the first line has names"
        ) from None
    except (
        OSError,
        EOFError,
        zlib.error,
        csv.Error,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise ValueError(f"cannot read {path}: {error}") from None


def _read_text(path: Path) -> pd.DataFrame:
    names, options = _text_form(path)
    with warnings.catch_warnings(), opened(path) as file:
        warnings.simplefilter(
            "error", pd.errors.ParserWarning
        )  # pandas would drop what has no column name
        frame = pd.read_csv(file, **options)
    return _named(frame, names)


def _text_chunks(
    path: Path,
    rows: int,
    texts: Sequence[str],
) -> Iterator[pd.DataFrame]:
    names, options = _text_form(path)
    types_of = {place: str for place, name in enumerate(names) if name in texts}
    with (
        opened(path) as file,
        pd.read_csv(
            file,
            chunksize=rows,
            dtype=types_of,
            **options,
        ) as reader,
    ):
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                chunk = next(reader, None)
            if chunk is None:
                return
            yield _named(chunk, names)


def _named(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return _without_index(frame.set_axis(names, axis=1))


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without its nameless columns: a first one is a saved index, others must be empty."""
    names = list(frame.columns)
    filled = [
        place
        for place, name in enumerate(names)
        if not name and place and frame.iloc[:, place].notna().any()
    ]
    if filled:
        raise ValueError(
            f"column {filled[0] + 1} has values and no name; name it in the first line, or "
            "remove it"
        )
    return frame.loc[:, [bool(name) for name in names]]


def _text_form(path: Path) -> tuple[list[str], dict[str, Any]]:
    """The columns that the first line of a text file names, and what pandas needs to read it."""
    with opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as lines:
        first = lines.readline(1_000_000)
    separator = "\t" if unpacked_name(path).endswith(".tsv") else max(",;\t", key=first.count)
    names = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
    if not names:
        raise ValueError("the file is empty; its first line must name the columns")
    _check_names([name for name in names if name], "its first line")
    shared = {
        "na_values": list(MISSING),
        "skipinitialspace": True,
        "low_memory": False,
        "encoding": "utf-8-sig",
    }
    return names, {"sep": separator, "index_col": False, **shared}


def _check_names(names: list[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(
            f"{where} has several columns called {', '.join(map(repr, twice))}; every "
            "column needs a name of its own"
        )
