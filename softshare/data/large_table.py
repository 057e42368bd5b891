"""Tables larger than memory: read some rows at a time into an array in the cache folder."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from softshare.data.cache import derived
from softshare.data.column_content import ColumnContent
from softshare.data.mapped import MappedArray, new_mapped
from softshare.data.roles import Roles
from softshare.data.several_files import FILE, read_files, read_files_in_chunks, told_of
from softshare.data.table_file import read_frame
from softshare.data.table_formats import is_arrow
from softshare.data.text_table import UNTOLD, FileForm
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.features import encoded, nothing_used
from softshare.tasks.finite import check_finite
from softshare.tasks.levels import Levels
from softshare.tasks.reading import Reading
from softshare.tasks.table_reading import understood, with_usual_decimal
from softshare.tasks.task_set import TaskSet

FIRST_ROWS = 2_000
"""By which the table's columns and its decimal mark are told."""

USED = "used.tsv"
"""The columns with a use, as texts: what they hold is told by all their rows."""


def read_large(
    paths: Sequence[Path],
    roles: Roles,
    chunk_rows: int,
    *,
    form: FileForm = UNTOLD,
) -> TaskSet:
    """Tasks from a table of which so many rows are in memory at a time, but all rows of the columns
    that are no inputs.

    The file is read twice: to see what its columns hold, and to write their values, as precise as
    they are, since only scaled values may be rounded. What was written is used again until the file
    changes.

    Args:
        paths: the table's files.
        roles: what its columns are for.
        chunk_rows: how many rows.
        form: how the files are written, as far as that was said.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read, or its values do not fit their use.
    """
    if chunk_rows < 1:
        raise ValueError(f"chunk_rows must be at least 1, got {chunk_rows}")
    named = FILE in roles.columns
    first = next(read_files_in_chunks(paths, FIRST_ROWS, form=form, named=named), None)
    if first is None:
        raise ValueError(f"{told_of(paths)} has no rows")
    roles = roles.among(list(first.columns))
    roles.check(list(first.columns))
    roles = replace(roles, asking=with_usual_decimal(first, roles.asking))
    told = repr((roles.columns, roles.of_inputs, form))
    key = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
    folder = derived(
        f"table-5-{key}",
        paths,
        lambda folder: _write(
            folder,
            paths,
            roles,
            chunk_rows,
            form,
        ),
    )
    columns = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
    categories = {name: tuple(texts) for name, texts in columns["categories"].items()}
    readings = TypeAdapter(tuple[Reading, ...]).validate_python(columns["readings"])
    names = tuple(reading.name for reading in readings if reading.is_used)
    inputs = EncodedColumns(MappedArray(folder / "values.npy"), names, categories, readings)
    if _stands_typed(paths, roles.needed):
        used = read_files(paths, roles.needed)
    else:
        used = read_frame(folder / USED)
    return roles.tasks(used, inputs)


def _stands_typed(paths: Sequence[Path], used: Sequence[str]) -> bool:
    """Whether columns with a use can be read alone, from the files themselves."""
    return FILE not in used and all(map(is_arrow, paths))


def _write(
    folder: Path,
    paths: Sequence[Path],
    roles: Roles,
    chunk_rows: int,
    form: FileForm,
) -> None:
    """Write the columns with a use as they stand in the file, the inputs as numbers, and how these
    were read.
    """
    used, asking = roles.needed, roles.of_inputs
    contents: dict[str, ColumnContent] = {}
    n_rows = 0
    named, is_apart = FILE in roles.columns, not _stands_typed(paths, used)
    for chunk in read_files_in_chunks(paths, chunk_rows, form=form, named=named):
        if is_apart:
            chunk[list(used)].to_csv(
                folder / USED,
                mode="a",
                header=not n_rows,
                index=False,
                sep="\t",
                quoting=csv.QUOTE_ALL,
            )
        n_rows += len(chunk)
        for name in (name for name in chunk.columns if name not in used):
            contents.setdefault(name, ColumnContent())
            if asking.columns.get(name) != "drop":
                contents[name].add(_levels_of(chunk, name))
    if not n_rows:
        raise ValueError("the table has no rows")
    levels = {name: content.levels() for name, content in contents.items()}
    readings, wrong = understood(levels, asking)
    if wrong:
        raise ValueError("; ".join(wrong))
    if not any(reading.is_used for reading in readings):
        raise nothing_used(readings)
    categories = _categories(levels, readings)
    kept = {"categories": categories, "readings": [asdict(reading) for reading in readings]}
    (folder / "columns.json").write_text(json.dumps(kept), encoding="utf-8")
    read_again = [reading for reading in readings if reading.is_used]
    values = new_mapped(
        folder / "values.npy",
        dtype=np.float64,
        shape=(n_rows, len(read_again)),
    )
    begin = 0
    for chunk in read_files_in_chunks(paths, chunk_rows, form=form, named=named):
        columns = {reading.name: _levels_of(chunk, reading.name) for reading in read_again}
        made = encoded(columns, read_again, categories, first_row=begin)
        check_finite(made, [reading.name for reading in read_again])
        values[begin : begin + len(chunk)] = made
        begin += len(chunk)
    values.flush()


def _categories(
    levels: dict[str, Levels],
    readings: Sequence[Reading],
) -> dict[str, list[str]]:
    """The categories of every column of categories, sorted."""
    categories: dict[str, list[str]] = {}
    for reading in readings:
        if reading.is_used and not reading.is_numeric:
            known = set(reading.categories(levels[reading.name])) - {None}
            categories[reading.name] = sorted(map(str, known))
    return categories


def _levels_of(chunk: pd.DataFrame, name: str) -> Levels:
    try:
        return Levels.of(chunk[name])
    except TypeError:
        raise ValueError(
            f"column {name!r} holds lists or other objects; leave it out (drop {name!r})"
        ) from None
