"""What was understood of the data, on the terminal and in the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as TerminalTable
from rich.text import Text

from softshare.report.listing import show_line
from softshare.report.tables import Cell, Table
from softshare.tasks.look import COLUMN_HEADS, FILE, OTHERWISE, TASK_HEADS, Look

NUMBERS = ("rows", "missing", "inputs")
"""Heads of columns that hold numbers."""


def show_look(look: Look, console: Console) -> None:
    """Write a look: what there is, then tasks and columns, then what to know."""
    show_line(console, look.summary)
    show_line(console, look.target)
    console.print(_on_terminal(TASK_HEADS, [line.cells for line in look.tasks]))
    hidden = look.n_tasks - len(look.tasks)
    if hidden > 0:
        show_line(console, f"and {hidden:,} more tasks")
    if look.columns:
        console.print(_on_terminal(COLUMN_HEADS, [line.cells for line in look.columns]))
    for line in (*look.cautions, *look.notes):
        show_line(console, f"· {line}")
    if look.columns:
        show_line(console, OTHERWISE)


def read_look(out: Path) -> Look | None:
    """The look that a comparison left in its folder; None where there is none."""
    try:
        return Look.from_json((out / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def columns_of(look: Look) -> Table:
    """How every column was read."""
    return _on_page(COLUMN_HEADS, [line.cells for line in look.columns])


def _on_terminal(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> TerminalTable:
    table = TerminalTable(box=box.SIMPLE_HEAD)
    for head in heads:
        if head in NUMBERS:
            table.add_column(head, justify="right")
        else:
            table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _on_page(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    kinds = ["number" if head in NUMBERS else "" for head in heads]
    made = []
    for row in rows:
        made.append([Cell(text, kind) for text, kind in zip(row, kinds, strict=True)])
    return Table(heads, made)
