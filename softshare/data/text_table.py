"""Tables as delimited text: how a file is written, and its cells as they stand there.

Every cell stays a text: what a column holds is told by all of it
(:mod:`softshare.tasks.understand`), and ``007`` is not ``7``.
"""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import charset_normalizer
import pandas as pd

from softshare.data.packed import opened, unpacked_name

SEPARATORS = (",", ";", "\t", "|")
LOOKED_AT = 1 << 20
"""Bytes by which a file's encoding and separator are told."""

LINES_LOOKED_AT = 50

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WESTERN = "cp1252"
_WESTERN_SIGNS = "€£°²³µ§«»·–—’\u2018“”„…±×÷½¼¾\xa0ªº¿¡®©"
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1a\x1b")


@dataclass(frozen=True)
class FileForm:
    """What was said of how the files of a table are written; what is None is told by the files.

    Args:
        sep: what stands between the fields of a text file.
        encoding: of a text file, such as ``latin-1``.
        sheet: of a workbook.
    """

    sep: str | None = None
    encoding: str | None = None
    sheet: str | None = None


UNTOLD = FileForm()
"""Nothing was said."""


@dataclass(frozen=True)
class TextForm:
    """How one text file is written.

    Args:
        encoding: Python's name of it.
        sep: between the fields.
        skipped: lines above the one that names the columns.
        names: of the columns.
    """

    encoding: str
    sep: str
    skipped: int
    names: tuple[str, ...]

    @property
    def options(self) -> dict[str, Any]:
        """What pandas needs to read the file, every cell as a text."""
        return {
            "sep": self.sep,
            "encoding": self.encoding,
            "skiprows": self.skipped,
            "index_col": False,
            "dtype": object,
            "na_filter": False,
            "skipinitialspace": True,
            "low_memory": False,
        }


def text_form(path: Path, form: FileForm) -> TextForm:
    """How a text file is written: as was said, or as its first lines tell.

    Raises:
        ValueError: it is empty, no text, or not in the encoding that was named.
    """
    with opened(path) as file:
        begin = file.read(LOOKED_AT)
    encoding = form.encoding or encoding_of(begin)
    lines = _lines(begin, encoding)
    skipped = _comments_above(lines, form.sep)
    told_by_excel = next(iter(lines), "").rstrip("\r\n").lower().removeprefix("sep=")
    sep = form.sep
    if sep is None and len(told_by_excel) == 1 and lines[0].lower().startswith("sep="):
        sep, skipped = told_by_excel, 1
    shown = lines[skipped : skipped + LINES_LOOKED_AT]
    if sep is None:
        sep = "\t" if unpacked_name(path).endswith(".tsv") else _separator_of(shown)
    names = [name.strip() for name in next(csv.reader(shown, delimiter=sep), [])]
    if not any(names):
        raise ValueError("the file is empty; its first line must name the columns")
    return TextForm(encoding, sep, skipped, tuple(names))


def read_text(path: Path, form: FileForm) -> pd.DataFrame:
    """All rows of a text file, cells as they stand there.

    Raises:
        ValueError: it cannot be read as a table.
    """
    told = text_form(path, form)
    with warnings.catch_warnings(), opened(path) as file:
        # pandas would drop what has no column name
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(file, **told.options)
    return frame.set_axis(list(told.names), axis=1)


def text_chunks(path: Path, rows: int, form: FileForm) -> Iterator[pd.DataFrame]:
    """The rows of :func:`read_text`, so many at a time."""
    told = text_form(path, form)
    with opened(path) as file, pd.read_csv(file, chunksize=rows, **told.options) as reader:
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                chunk = next(reader, None)
            if chunk is None:
                return
            yield chunk.set_axis(list(told.names), axis=1)


def encoding_of(begin: bytes) -> str:
    """The encoding of a file that begins so: UTF-8 or what a mark names where that fits, else the
    likeliest.

    Raises:
        ValueError: it is no text.
    """
    for mark, encoding in _MARKS.items():
        if begin.startswith(mark):
            return encoding
    if b"\x00" in begin:
        return _wide_encoding(begin)
    if _controls(begin):
        raise ValueError("it is no text")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(begin)  # which may end in the middle of a character
        return "utf-8-sig"
    except UnicodeDecodeError:
        pass
    foreign = bytes(byte for byte in begin if byte > 127)
    with_letters = foreign.decode(_WESTERN, errors="ignore")
    is_western = len(with_letters) == len(foreign) and all(map(_is_western, with_letters))
    if is_western and len(foreign) < len(begin) / 4:
        return _WESTERN
    best = charset_normalizer.from_bytes(begin[: 1 << 16]).best()
    if best is None:
        raise ValueError("its encoding cannot be told; name it (encoding), such as latin-1")
    return best.encoding


def _is_western(character: str) -> bool:
    return character.isalpha() or character in _WESTERN_SIGNS


def _controls(begin: bytes) -> bool:
    """Whether there are bytes that no text has."""
    return any(byte < 32 and byte not in _TEXT_CONTROLS for byte in set(begin))


def _wide_encoding(begin: bytes) -> str:
    """UTF-16 without a mark: every second byte of plain letters is zero."""
    even = begin[0:2000:2].count(0)
    odd = begin[1:2000:2].count(0)
    most = len(begin[0:2000:2]) * 0.7
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros >= most and not others:
            return encoding
    raise ValueError("it is no text")


def _lines(begin: bytes, encoding: str) -> list[str]:
    """The first lines, without the last where it may be cut off."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise ValueError(f"no encoding is called {encoding!r}; utf-8 and latin-1 are two") from None
    try:
        text = decoder.decode(begin)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not in the encoding {encoding} ({error.reason})") from None
    lines = text.splitlines(keepends=True)
    is_cut = len(begin) == LOOKED_AT and len(lines) > 1
    return lines[:-1] if is_cut else lines


def _comments_above(lines: Sequence[str], sep: str | None) -> int:
    """How many lines above the columns' names are comments; ``#id,x`` names columns where the next
    line has as many fields.
    """
    skipped = 0
    while skipped < len(lines) and (lines[skipped].startswith("#") or not lines[skipped].strip()):
        skipped += 1
    if not skipped or skipped >= len(lines):
        return 0
    last, following = lines[skipped - 1], lines[skipped]
    for separator in [sep] if sep else SEPARATORS:
        n_fields = len(_fields(last, separator))
        second = _fields(following, separator)
        is_data = any(_is_number(field) for field in second)
        if n_fields > 1 and n_fields == len(second) and is_data:
            return skipped - 1
    return skipped


def _separator_of(lines: Sequence[str]) -> str:
    """The separator that gives most lines as many fields as the first has, and most of them."""
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        rows = list(_rows(lines, separator))
        if not rows or len(rows[0]) < 2:
            continue
        n_fields = len(rows[0])
        fitting = sum(len(row) == n_fields for row in rows if row) / len(rows)
        if (fitting, n_fields) > best_score:
            best, best_score = separator, (fitting, n_fields)
    return best


def _rows(lines: Sequence[str], separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO("".join(lines)), delimiter=separator)
    except csv.Error:
        return


def _fields(line: str, separator: str) -> list[str]:
    return next(_rows([line], separator), [])


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
