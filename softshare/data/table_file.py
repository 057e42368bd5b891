"""Reading a table as it stands in a file or a frame."""

from __future__ import annotations

import csv
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

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
from softshare.data.text_table import UNTOLD, FileForm, read_text, text_chunks

_TEXT = (".csv", ".tsv", *JSON_LINES)
SUFFIXES = (*_TEXT, *ARROW, *SPREADSHEETS)
"""Endings of the files that can be read; those of text may be packed (:data:`PACKED`)."""


def read_frame(
    table: str | Path | pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    form: FileForm = UNTOLD,
) -> pd.DataFrame:
    """The rows of a file or frame, with columns named by different texts.

    Args:
        table: a file or a frame.
        columns: all that is read of a Parquet or Feather file; the whole file when None.
        form: how the file is written, as far as that was said.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the library that reads such a file is not installed.
        ValueError: the file cannot be read as a table, has no rows, or two columns of one name.
    """
    frame = (
        table.reset_index(drop=True)
        if isinstance(table, pd.DataFrame)
        else _read_file(Path(table), columns, form)
    )
    where = "the data frame" if isinstance(table, pd.DataFrame) else f"{table}"
    names = [str(name) for name in frame.columns]
    _check_names(names, where)
    if frame.empty:
        raise ValueError(f"{where} has no rows")
    return frame.set_axis(names, axis=1)


def read_chunks(
    path: Path,
    rows: int,
    *,
    form: FileForm = UNTOLD,
) -> Iterator[pd.DataFrame]:
    """The rows of a file, so many at a time, as :func:`read_frame` would give them.

    Args:
        path: of the file.
        rows: how many.
        form: how the file is written, as far as that was said.

    Raises:
        As :func:`read_frame`.
    """
    check_file(path)
    is_parquet = path.name.lower().endswith(".parquet")
    if (is_arrow(path) and not is_parquet) or is_sheet(path):
        whole = read_frame(path, form=form)
        for begin in range(0, len(whole), rows):
            yield whole[begin : begin + rows].reset_index(drop=True)
        return
    with _naming(path):
        if is_parquet:
            chunks = parquet_chunks(path, rows)
        elif is_json(path):
            chunks = json_chunks(path, rows)
        else:
            chunks = map(_without_index, text_chunks(path, rows, form))
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


def _read_file(path: Path, columns: Sequence[str] | None, form: FileForm) -> pd.DataFrame:
    check_file(path)
    with _naming(path):
        if is_arrow(path):
            return read_arrow(path, columns)
        if is_sheet(path):
            return _without_index(read_sheet(path, form.sheet))
        if is_json(path):
            return read_json(path)
        return _without_index(read_text(path, form))


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


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without its nameless columns: a first one is a saved index, others must be empty."""
    names = list(frame.columns)
    filled = []
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        if not name and _is_filled(column) and (place or not _is_index(column)):
            filled.append(place)
    if filled:
        raise ValueError(
            f"column {filled[0] + 1} has values and no name; name it in the first line, or "
            "remove it"
        )
    return frame.loc[:, [bool(name) for name in names]]


def _is_index(column: pd.Series) -> bool:
    """Whether values number or name the rows: whole numbers, or another text in each."""
    known = column.dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.isna().any():
        return bool(known.is_unique)
    return bool((numbers == numbers.round()).all())


def _is_filled(column: pd.Series) -> bool:
    """Whether anything stands in a column."""
    return bool((column.notna() & (column.astype(str).str.strip() != "")).any())


def _check_names(names: list[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(
            f"{where} has several columns called {', '.join(map(repr, twice))}; every "
            "column needs a name of its own"
        )
