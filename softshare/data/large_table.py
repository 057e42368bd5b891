"""Tables larger than memory: read some rows at a time into an array in the cache folder."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from softshare.data.cache import derived
from softshare.data.mapped import MappedArray, new_mapped
from softshare.data.roles import Roles
from softshare.data.several_files import FILE, read_files, read_files_in_chunks, told_of
from softshare.data.table_file import numbers_where_meant, read_frame
from softshare.data.table_formats import is_arrow
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.frames import check_finite, is_numeric, numbers_of, texts_of
from softshare.tasks.task_set import TaskSet

USED = "used.tsv"
"""The columns with a use, as texts: what they hold is told by all their rows."""

MOST_CATEGORIES = 10_000
"""Different texts of a column; one with more is taken for an identifier, however many rows there
are.
"""


def read_large(
    paths: Sequence[Path],
    roles: Roles,
    chunk_rows: int,
    *,
    sheet: str | None = None,
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
        sheet: of workbooks.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read, or its values do not fit their use.
    """
    if chunk_rows < 1:
        raise ValueError(f"chunk_rows must be at least 1, got {chunk_rows}")
    named = FILE in roles.columns
    first = next(read_files_in_chunks(paths, 1, sheet=sheet, named=named), None)
    if first is None:
        raise ValueError(f"{told_of(paths)} has no rows")
    roles = roles.among(list(first.columns))
    roles.check(list(first.columns))
    key = hashlib.blake2b(repr((roles.columns, sheet)).encode(), digest_size=6).hexdigest()
    folder = derived(
        f"table-4-{key}",
        paths,
        lambda folder: _write(
            folder,
            paths,
            roles.columns,
            chunk_rows,
            sheet,
        ),
    )
    columns = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
    categories = {name: tuple(texts) for name, texts in columns["categories"].items()}
    inputs = EncodedColumns(MappedArray(folder / "values.npy"), tuple(columns["names"]), categories)
    if _stands_typed(paths, roles.columns):
        used = read_files(paths, roles.columns)
    else:
        used = read_frame(folder / USED)
    return roles.tasks(used, inputs)


def _stands_typed(paths: Sequence[Path], used: Sequence[str]) -> bool:
    """Whether columns with a use can be read alone, from the files themselves."""
    return FILE not in used and all(map(is_arrow, paths))


def _write(
    folder: Path,
    paths: Sequence[Path],
    used: Sequence[str],
    chunk_rows: int,
    sheet: str | None,
) -> None:
    """Write the columns with a use as they stand in the file, the inputs as numbers, and what these
    stand for.
    """
    contents: dict[str, _Content] = {}
    n_rows = 0
    named, is_apart = FILE in used, not _stands_typed(paths, used)
    for chunk in read_files_in_chunks(paths, chunk_rows, texts=used, sheet=sheet, named=named):
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
            contents.setdefault(name, _Content(name)).add(chunk[name])
    categories = {name: content.categories() for name, content in contents.items() if content.texts}
    names = list(contents)
    (folder / "columns.json").write_text(
        json.dumps({"names": names, "categories": categories}), encoding="utf-8"
    )
    values = new_mapped(
        folder / "values.npy",
        dtype=np.float64,
        shape=(n_rows, len(names)),
    )
    begin = 0
    for chunk in read_files_in_chunks(paths, chunk_rows, sheet=sheet, named=named):
        values[begin : begin + len(chunk)] = _encoded(chunk, names, categories)
        begin += len(chunk)
    values.flush()


class _Content:
    """What an input column holds, as the chunks of a table come by."""

    def __init__(self, name: str) -> None:
        self.texts: set[str] = set()
        self._name, self._n_numbers, self._n_texts = name, 0, 0

    def add(self, column: pd.Series) -> None:
        """Look at some rows more."""
        column = numbers_where_meant(column)
        if is_numeric(column):
            self._n_numbers += int(column.notna().sum())
            return
        self._n_texts += int(column.notna().sum())
        self.texts.update(text for text in texts_of(column) if text is not None)
        if len(self.texts) > MOST_CATEGORIES:
            raise self._identifier()

    def categories(self) -> list[str]:
        """All texts, sorted.

        Raises:
            ValueError: some chunks hold numbers, or the texts look like identifiers.
        """
        if self._n_numbers:
            raise ValueError(
                f"column {self._name!r} holds {self._n_numbers} numbers and "
                f"{self._n_texts} texts in different parts of the table; "
                f"make them all texts or numbers, or leave it out (drop {self._name!r})"
            )
        if len(self.texts) > 50 and len(self.texts) > self._n_texts / 2:
            raise self._identifier()
        return sorted(self.texts)

    def _identifier(self) -> ValueError:
        return ValueError(
            f"column {self._name!r} has {len(self.texts)} or more different texts in "
            f"{self._n_texts} rows and looks like an identifier; "
            f"leave it out (drop {self._name!r})"
        )


def _encoded(
    chunk: pd.DataFrame,
    names: Sequence[str],
    categories: Mapping[str, list[str]],
) -> np.ndarray:
    """Rows of a table as numbers, shape ``(rows, len(names))``."""
    values = np.empty((len(chunk), len(names)))
    for place, name in enumerate(names):
        column = numbers_where_meant(chunk[name])
        if name in categories:
            codes = (
                pd.Index(categories[name], dtype=object)
                .get_indexer(pd.Index(texts_of(column), dtype=object))
                .astype(float)
            )
            values[:, place] = np.where(codes < 0, np.nan, codes)
        else:
            values[:, [place]] = numbers_of(column.to_frame(), [name])
            check_finite(values[:, [place]], [name])
    return values
