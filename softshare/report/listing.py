"""Lists on the terminal. Imports nothing heavy: a list must be there at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console

from softshare.evaluation.console import PlainConsole

PLAIN_WIDTH = 140
"""Columns of a table that goes to a file."""


def console_on(stream: TextIO) -> Console:
    """A console on a stream, wide enough for a table where the stream is no terminal."""
    # a terminal knows its own width
    width = None if stream.isatty() else PLAIN_WIDTH
    return PlainConsole(file=stream, width=width)


def show_methods(rows: Sequence[tuple[str, str, str]], console: Console) -> None:
    """Write a line for each method: its name, what it shares, its paper."""
    names, shares, _ = zip(*rows, strict=True)
    name_width = max(map(len, names))
    shares_width = max(map(len, shares))
    for name, shared, paper in rows:
        first = name.ljust(name_width)
        second = shared.ljust(shares_width)
        show_line(console, f"{first}  {second}  {paper}")


def show_line(console: Console, line: str) -> None:
    """Write a line as it stands, however long."""
    console.print(line, soft_wrap=True)
