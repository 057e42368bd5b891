"""A comparison on the terminal: how far it has come, and what it found."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from softshare.evaluation.answer import answer, cautions
from softshare.evaluation.jobs.progress import ComparisonProgress
from softshare.report import tables
from softshare.report.findings import Findings
from softshare.report.listing import show_line
from softshare.report.words import duration, listed, share

MOST_CAUTIONS = 8
_STYLES = {"helped": "green", "hurt": "red"}


class ProgressDisplay:
    """Shows the progress of a comparison while its context is open: a bar on a terminal, else a
    line for every finished run.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None, left="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: ComparisonProgress) -> None:
        """Show a moment of the comparison."""
        left = (
            "" if progress.seconds_left is None else f"about {_about(progress.seconds_left)} left"
        )
        if not self._console.is_terminal:
            self._line(progress, left)
            return
        running = f"running {listed(progress.running, most=2)}" if progress.running else "done"
        self._bar.update(
            self._task,
            description=running,
            completed=progress.done,
            total=progress.total,
            left=left,
            refresh=True,
        )

    def _line(self, progress: ComparisonProgress, left: str) -> None:
        if (outcome := progress.finished) is None:
            return
        told = (
            f"failed: {outcome.error}"
            if outcome.error
            else outcome.result["error"] or duration(outcome.result["seconds"])
        )
        show_line(
            self._console, f"[{progress.done}/{progress.total}] {outcome.key}: {told}; {left}"
        )


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
    title = None if findings.fractions == [1.0] else f"{share(fraction)} of the training data"
    board = tables.board(findings, fraction)
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    for number, head in enumerate(board.heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=number == 0)
    for row in board.rows:
        table.add_row(*(Text(cell.text, style=_style(cell.kind)) for cell in row))
    return table


def _about(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)


def _style(kind: str) -> str:
    return next((style for word, style in _STYLES.items() if word in kind.split()), "")
