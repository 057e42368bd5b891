"""What a comparison found as Markdown, for pull requests and notes."""

from __future__ import annotations

from collections.abc import Sequence

from softshare.evaluation.answer import answer
from softshare.evaluation.cautions import cautions
from softshare.report import tables
from softshare.report.findings import Findings
from softshare.report.tables import Table
from softshare.report.words import per_cent
from softshare.tasks.printable import printable

FILE = "summary.md"

_MARKS = "\\`*_[]<>|#"


def markdown_of(findings: Findings) -> str:
    """The answer, the board of every fraction, the tasks' gains and the cautions."""
    lines = ["# Learning together or apart", "", _plain(answer(findings.records)), ""]
    for fraction in findings.fractions:
        if findings.fractions != [1.0]:
            lines += [f"## {per_cent(fraction)} of the training data", ""]
        lines += [*_table(tables.board(findings, fraction)), ""]
    lines += ["## Gain of every task", "", *_table(tables.task_gains(findings)), ""]
    notes = [*cautions(findings.records), *findings.records[0]["data"]["notes"]]
    if notes:
        lines += ["## To know besides", "", *[f"- {_plain(note)}" for note in notes], ""]
    return "\n".join(lines)


def _table(table: Table) -> list[str]:
    sides = [":--" if place == 0 else "--:" for place in range(len(table.heads))]
    rows = [[cell.text for cell in row] for row in table.rows]
    return [_row(table.heads), _row(sides, as_is=True), *map(_row, rows)]


def _row(cells: Sequence[str], *, as_is: bool = False) -> str:
    told = cells if as_is else [_plain(cell) for cell in cells]
    return f"| {' | '.join(told)} |"


def _plain(text: str) -> str:
    """Text that is no markup, on one line."""
    told = " ".join(printable(text).split())
    for mark in _MARKS:
        told = told.replace(mark, "\\" + mark)
    return told
