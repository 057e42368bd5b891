"""What a comparison found, on the terminal."""

from __future__ import annotations

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
    lines = [
        *told[:MOST_CAUTIONS],
        *([f"{len(told) - MOST_CAUTIONS} more in the report"] if len(told) > MOST_CAUTIONS else []),
    ]
    lines += [f"{method} is left out: {reason}" for method, reason in findings.left_out.items()]
    lines += findings.records[0]["data"]["notes"]
    for line in lines:
        show_line(console, f"· {line}")


def _leaderboard(findings: Findings, fraction: float) -> Table:
    title = None if findings.fractions == [1.0] else f"{per_cent(fraction)} of the training data"
    board = tables.board(findings, fraction)
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    for number, head in enumerate(board.heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=number == 0)
    for row in board.rows:
        table.add_row(*(Text(cell.text, style=_style(cell.kind)) for cell in row))
    return table


def _style(kind: str) -> str:
    return next((style for word, style in _STYLES.items() if word in kind.split()), "")
