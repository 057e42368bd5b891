"""Tables in files other than delimited text: spreadsheets, lines of JSON, Parquet and Feather."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from softshare.data.packed import most_bytes, opened, unpacked_name

SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
JSON_LINES = (".jsonl", ".ndjson")
ARROW = (".parquet", ".feather")


def is_sheet(path: Path) -> bool:
    """Whether a file is a spreadsheet, by its name."""
    return path.name.lower().endswith(SPREADSHEETS)


def is_json(path: Path) -> bool:
    """Whether a file holds lines of JSON, packed perhaps, by its name."""
    return unpacked_name(path).endswith(JSON_LINES)


def is_arrow(path: Path) -> bool:
    """Whether a file is a Parquet or Feather file, by its name."""
    return path.name.lower().endswith(ARROW)


# --- Parquet and Feather -----------------------------------------------------------------------


def read_arrow(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    """All rows of a Parquet or Feather file, of these columns.

    Raises:
        ImportError: pyarrow is not installed.
        ValueError: it is damaged.
    """
    wanted = None if columns is None else list(columns)
    if path.name.lower().endswith(".feather"):
        return _checked(_needed("pyarrow.feather", path).read_table(path, columns=wanted))
    with parquet_file(path) as file:
        return _checked(file.read(columns=wanted))


def parquet_file(path: Path) -> Any:
    """A Parquet file, for reading in a ``with`` statement.

    Raises:
        ImportError: pyarrow is not installed.
    """
    return _needed("pyarrow.parquet", path).ParquetFile(path)


def parquet_chunks(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """The rows of a Parquet file, so many at a time."""
    with parquet_file(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            yield _checked(batch)


def _checked(rows: Any) -> pd.DataFrame:
    rows.validate(full=True)  # text that is none would be found only where it is used
    frame: pd.DataFrame = rows.to_pandas()
    return frame


# --- spreadsheets ------------------------------------------------------------------------------


def read_sheet(path: Path, sheet: str | None) -> pd.DataFrame:
    """A sheet of a workbook, whose first row names the columns; cells as they are typed there.

    Args:
        path: of the workbook.
        sheet: its name; the only one with cells when None.

    Raises:
        ImportError: python-calamine is not installed.
        ValueError: it is damaged, has no such sheet, or several and none is named.
    """
    calamine = _needed("python_calamine", path)
    _check_size(path)
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            rows = _rows_of(book, sheet)
    except (calamine.CalamineError, calamine.PasswordError) as error:
        raise ValueError(f"it is no workbook that can be read ({error})") from None
    header = [str(_named(name)) for name in rows[0]]
    width = len(header)
    columns = zip(*rows[1:], strict=True) if len(rows) > 1 else [()] * width
    cells = {place: _cells(column) for place, column in enumerate(columns)}
    return pd.DataFrame(cells).set_axis(header, axis=1)


def _rows_of(book: Any, sheet: str | None) -> list[list[Any]]:
    names = list(book.sheet_names)
    if sheet is not None:
        if sheet not in names:
            raise ValueError(f"no sheet is called {sheet!r}, there are {', '.join(names)}")
        names = [sheet]
    filled = {}
    for name in names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
        if rows:
            filled[name] = rows
    if len(filled) > 1:
        raise ValueError(
            f"several sheets have cells ({', '.join(filled)}); name the one that is meant "
            "(sheet=...)"
        )
    if not filled:
        raise ValueError("the file is empty; its first line must name the columns")
    (rows,) = filled.values()
    return rows


def _named(cell: Any) -> Any:
    """A column's name: a year that was typed as a number is ``2019``, not ``2019.0``."""
    is_whole = isinstance(cell, float) and cell.is_integer()
    return int(cell) if is_whole else str(cell).strip()


def _cells(column: Sequence[Any]) -> pd.Series:
    """The cells of a column; None where they are empty."""
    values = []
    for cell in column:
        is_day = isinstance(cell, date) and not isinstance(cell, datetime)
        value = pd.Timestamp(cell) if is_day else cell
        values.append(None if cell == "" else value)
    return pd.Series(values, dtype=object).infer_objects()


def _check_size(path: Path) -> None:
    """Refuse a workbook that unpacks to more than is expected of its size.

    The older ``.xls`` is not packed.
    """
    if path.suffix.lower() == ".xls":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile:
        raise ValueError("it is no workbook that can be read") from None
    if n_bytes > most_bytes(path):
        raise ValueError(f"it unpacks to {n_bytes:,} bytes, more than is expected of its size")


# --- lines of JSON -----------------------------------------------------------------------------


def json_chunks(path: Path, rows: int | None) -> Iterator[pd.DataFrame]:
    """The rows of a file of which every line is a JSON object, so many at a time; all at once when
    None.

    Whole numbers stay whole, however large, and texts stay texts.

    Raises:
        ValueError: a line is no JSON object, or names a column twice; says which.
    """
    with opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig") as text:
        numbered = ((place, line) for place, line in enumerate(text, start=1) if line.strip())
        while True:
            records = [_record(place, line) for place, line in islice(numbered, rows)]
            if not records:
                return
            names = dict.fromkeys(name for record in records for name in record)
            columns = {}
            for name in names:
                values = [record.get(name) for record in records]
                columns[name] = pd.Series(values, dtype=object).infer_objects()
            yield pd.DataFrame(columns)


def read_json(path: Path) -> pd.DataFrame:
    """All rows of a file of lines of JSON.

    Raises:
        ValueError: as :func:`json_chunks`.
    """
    return next(json_chunks(path, None), pd.DataFrame())


def _record(place: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {place} is not JSON ({error})") from None
    if not isinstance(record, dict):
        raise ValueError(f"line {place} must be a JSON object, got {type(record).__name__}")
    return record


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("it names a column twice")
    return record


def _needed(module: str, path: Path) -> Any:
    try:
        import_module(module.partition(".")[0])
        return import_module(module)
    except ImportError:
        extra = "excel" if module == "python_calamine" else "parquet"
        library = module.partition(".")[0].replace("_", "-")
        raise ImportError(
            f"reading {path.name} needs {library}: pip install 'softshare[{extra}]'"
        ) from None
