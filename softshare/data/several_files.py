"""Several files of one form read as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import pandas as pd

from softshare.data.packed import PACKED
from softshare.data.table_file import SUFFIXES, is_table, read_chunks, read_frame
from softshare.data.text_table import UNTOLD, FileForm

FILE = "file"
"""The column that says which of several files a row is from; it stands in the table only where it
has a use.
"""


def files_of(table: Any) -> list[Path]:
    """The files of a table: the one or several that are named, those of a folder, or those whose
    names match a pattern such as ``"visits-*.csv"``.

    Hidden files, and others than tables, are passed over in a folder.

    Raises:
        FileNotFoundError: a pattern matches no file, a folder has no table, or no file is named.
    """
    if not isinstance(table, str | Path):
        named = [Path(name) for name in table]
        if not named:
            raise FileNotFoundError("table: no file is named")
        return named
    path = Path(table)
    if path.is_dir():
        return _tables_in(path)
    if path.exists() or not has_magic(str(table)):
        return [path]
    matching = sorted(Path(name) for name in glob(str(table)) if not _is_hidden(Path(name)))
    if not matching:
        raise FileNotFoundError(f"no file matches {table}")
    return matching


def holds_tables(folder: Path) -> bool:
    """Whether a folder has tables directly inside."""
    return any(_is_visible_table(path) for path in folder.iterdir())


def _tables_in(folder: Path) -> list[Path]:
    tables = sorted(path for path in folder.iterdir() if _is_visible_table(path))
    if not tables:
        raise FileNotFoundError(
            f"the folder {folder} has no tables directly inside; a table ends in "
            f"{', '.join(SUFFIXES)}"
        )
    return tables


def _is_visible_table(path: Path) -> bool:
    return is_table(path) and path.is_file() and not _is_hidden(path)


def _is_hidden(path: Path) -> bool:
    # a spreadsheet that is open elsewhere has a lock file beside it: ~$visits.xlsx
    return path.name.startswith((".", "~$"))


def read_files(
    paths: Sequence[Path],
    columns: Sequence[str] | None = None,
    *,
    form: FileForm = UNTOLD,
    named: bool = False,
) -> pd.DataFrame:
    """The rows of all files, one file after the other.

    Args:
        paths: of the files, whose columns have the same names, in any order.
        columns: as for :func:`softshare.data.table_file.read_frame`.
        form: how they are written, as far as that was said.
        named: add the column :data:`FILE` where they have none of this name.

    Raises:
        ValueError: a file cannot be read, or has other columns than the first.
    """
    frames: list[pd.DataFrame] = []
    first: list[str] = []
    for path, name in zip(paths, _names_of(paths), strict=True):
        frame = read_frame(path, columns, form=form)
        first = first or list(frame.columns)
        _check_columns(frame, first, path, paths[0])
        frames.append(_from_file(frame, name) if named else frame)
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def read_files_in_chunks(
    paths: Sequence[Path],
    rows: int,
    *,
    form: FileForm = UNTOLD,
    named: bool = False,
) -> Iterator[pd.DataFrame]:
    """The rows of :func:`read_files`, so many at a time; for the arguments see
    :func:`softshare.data.table_file.read_chunks`.
    """
    first: list[str] = []
    for path, name in zip(paths, _names_of(paths), strict=True):
        for chunk in read_chunks(path, rows, form=form):
            first = first or list(chunk.columns)
            _check_columns(chunk, first, path, paths[0])
            yield _from_file(chunk[first], name) if named else chunk[first]


def _from_file(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame if FILE in frame.columns else frame.assign(**{FILE: name})


def _check_columns(
    frame: pd.DataFrame,
    expected: Sequence[str],
    path: Path,
    first: Path,
) -> None:
    own = [name for name in frame.columns if name not in expected]
    lacking = [name for name in expected if name not in frame.columns]
    if not own and not lacking:
        return
    told = []
    if lacking:
        told.append(f"lacks {', '.join(map(repr, lacking[:5]))}")
    if own:
        told.append(f"has {', '.join(map(repr, own[:5]))} beside")
    raise ValueError(
        f"files of one table have the same columns, but of those of {first.name}, {path.name} "
        f"{' and '.join(told)}; name the files that belong together"
    )


def told_of(paths: Sequence[Path]) -> str:
    """What errors call these files."""
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _names_of(paths: Sequence[Path]) -> list[str]:
    """What each file is called in the column :data:`FILE`: its name without the ending where that
    tells files apart.
    """
    names = [_stem(path) for path in paths]
    if max(Counter(names).values()) > 1:
        names = [str(path) for path in paths]
    return names


def _stem(path: Path) -> str:
    name = path.name
    for endings in (PACKED, SUFFIXES):
        for ending in endings:
            if name.lower().endswith(ending):
                name = name[: -len(ending)]
                break
    return name
