"""A task set as a notebook shows it: a short table of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from softshare.tasks.printable import printable
from softshare.tasks.task import Task

TASKS_SHOWN = 10
"""Of a set with more, the rest is one line."""

HEADINGS = ("task", "kind", "classes", "inputs", "examples")


def table_of(
    caption: str,
    tasks: Sequence[Task],
    n_examples: np.ndarray,
    shapes: Sequence[tuple[int, ...]],
) -> str:
    """HTML with a row a task, the first :data:`TASKS_SHOWN` of them.

    Args:
        caption: what stands above the table.
        tasks: all of them.
        n_examples: of every task, ``(T,)``.
        shapes: of an input of each task that is shown.
    """
    rows = [_row("th", HEADINGS)]
    for task, count, shape in zip(
        tasks,
        n_examples,
        shapes,
        strict=False,
    ):
        n_classes = str(len(task.classes)) if task.classes else ""
        inputs = " × ".join(map(str, shape))
        rows.append(_row("td", (task.label, task.kind, n_classes, inputs, f"{count:,}")))
    more = len(tasks) - len(shapes)
    if more:
        rows.append(f"<tr><td colspan={len(HEADINGS)}>and {more:,} more</td></tr>")
    return f"<table><caption>{escape(caption)}</caption>{''.join(rows)}</table>"


def _row(cell: str, texts: Sequence[str]) -> str:
    cells = [f"<{cell}>{escape(printable(text))}</{cell}>" for text in texts]
    return f"<tr>{''.join(cells)}</tr>"
