"""How far a comparison has come, on the terminal or in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from softshare.evaluation.console import PlainConsole
from softshare.evaluation.jobs.progress import ComparisonProgress, Watcher
from softshare.evaluation.words import duration, listed


class ProgressDisplay:
    """Shows the progress of a comparison while its context is open: a bar on a terminal, else a
    line for every finished run.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
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

    def _line(
        self,
        progress: ComparisonProgress,
        left: str,
    ) -> None:
        if (outcome := progress.finished) is None:
            return
        if outcome.error is not None:
            # Some errors, such as a MemoryError, have no words of their own.
            told = f"failed: {str(outcome.error) or type(outcome.error).__name__}"
        else:
            told = outcome.result["error"] or duration(outcome.result["seconds"])
        line = f"[{progress.done}/{progress.total}] {outcome.key}: {told}; {left}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watching(progress: Watcher | bool | None) -> Iterator[Watcher | None]:
    """Who is told of every run, while the context is open.

    Args:
        progress: somebody to tell; True shows it on the standard error, False nowhere, and None
            there where it is a terminal or a notebook.
    """
    if callable(progress):
        yield progress
        return
    if progress is None:
        progress = sys.stderr.isatty() or Console(stderr=True).is_jupyter
    if not progress:
        yield None
        return
    # not as a notebook's own output: a line stays a line there
    with ProgressDisplay(PlainConsole(file=sys.stderr, force_jupyter=False)) as display:
        yield display


def _about(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)
