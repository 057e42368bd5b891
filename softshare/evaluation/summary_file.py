"""The summary as a file that spreadsheets open."""

from __future__ import annotations

import re

import pandas as pd

from softshare.tasks.printable import printable

TEXTS = ("method", "task", "metric")
"""Columns of text; the others hold numbers."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def csv_of(summary: pd.DataFrame) -> str:
    """The summary as CSV, in which no name is a formula.

    A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break as
    a formula. Such a text gets an apostrophe in front, which spreadsheets take for *this is text*;
    so does one that has apostrophes before these, so that taking one away gives the name back.
    Texts that are numbers stay. Characters that steer a terminal are written out.
    """
    texts = {name: summary[name].map(_cell) for name in TEXTS if name in summary}
    return summary.assign(**texts).to_csv(index=False)


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value)
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text
