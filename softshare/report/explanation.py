"""What a model's columns matter, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from softshare.report.listing import show_line
from softshare.tasks.printable import printable

MOST_COLUMNS = 40


def show_explanation(found: Mapping[str, Any], console: Console) -> None:
    """Write a line for each column.

    Args:
        found: as :meth:`softshare.models.explanation.Explanation.as_json` tells it.
        console: where to.
    """
    table = Table(box=box.SIMPLE_HEAD)
    for head in ("column", "worse without it", "95 % interval", "between tasks", "matters"):
        is_text = head in ("column", "matters")
        table.add_column(
            head,
            justify="left" if is_text else "right",
        )
    for row in found["columns"][:MOST_COLUMNS]:
        cells = [
            printable(row["column"]),
            _number(row["importance"]),
            _ends(row["interval"]),
            _number(row["spread"]),
            printable(row["matters"]),
        ]
        table.add_row(
            *map(
                Text,
                cells,
            )
        )
    hidden = len(found["columns"]) - MOST_COLUMNS
    if hidden > 0:
        table.add_row(f"and {hidden:,} more")
    console.print(table)
    metrics = ", ".join(dict.fromkeys(row["metric"] for row in found["columns"]))
    rows = f"{found['rows']:,} labelled rows"
    show_line(
        console,
        f"by {metrics}, on {rows}; values exchanged {found['repeats']} times",
    )
    facts = [row["column"] for row in found["columns"] if row["exchanged"] == "among tasks"]
    if facts:
        names = printable(", ".join(facts))
        show_line(
            console,
            f"facts of the task, exchanged among whole tasks: {names}",
        )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _ends(ends: list[float] | None) -> str:
    return "–" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"
