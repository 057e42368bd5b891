"""What a comparison found, on the terminal."""

from __future__ import annotations

from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from softshare.evaluation.answer import answer
from softshare.evaluation.cautions import cautions
from softshare.report import tables
from softshare.report.findings import Findings
from softshare.report.listing import show_line
from softshare.report.words import per_cent

MOST_CAUTIONS = 8
_STYLES = {"helped": "green", "hurt": "red"}


def show(findings: Findings, console: Console) -> None:
    """Write the answer, the leaderboard of every fraction, and what to know besides."""
    console.print(Text(answer(findings.records), style="bold"), soft_wrap=True)
    for fraction in findings.fractions:
        console.print(_leaderboard(findings, fraction))
    told = cautions(findings.records)
    lines = told[:MOST_CAUTIONS]
    hidden = len(told) - MOST_CAUTIONS
    if hidden > 0:
        lines.append(f"{hidden} more in the report")
    for method, reason in findings.left_out.items():
        lines.append(f"{method} is left out: {reason}")
    lines += findings.records[0]["data"]["notes"]
    for line in lines:
        show_line(console, f"· {line}")


def _leaderboard(findings: Findings, fraction: float) -> Table:
    title = None
    if findings.fractions != [1.0]:
        title = f"{per_cent(fraction)} of the training data"
    board = tables.board(findings, fraction)
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    for number, head in enumerate(board.heads):
        is_first = number == 0
        side: Literal["left", "right"] = "left" if is_first else "right"
        table.add_column(head, justify=side, no_wrap=is_first)
    for row in board.rows:
        texts = [Text(cell.text, style=_style(cell.kind)) for cell in row]
        table.add_row(*texts)
    return table


def _style(kind: str) -> str:
    for word in kind.split():
        if word in _STYLES:
            return _STYLES[word]
    return ""
