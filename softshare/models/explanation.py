"""What a model's columns matter to all tasks, and to which tasks beyond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

LEVEL = 0.95
"""Of intervals."""

SHOWN = 3
"""Names of tasks that a line tells."""


@dataclass(frozen=True)
class TaskImportance:
    """How much a column matters to one task.

    Args:
        task: its name.
        rows: that told.
        importance: by how much the metric is worse where the column tells nothing, drawn to the
            other tasks' by as much as these rows leave open.
        interval: of it.
    """

    task: str
    rows: int
    importance: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Importance:
    """How much a column matters.

    Args:
        column: its name.
        metric: by which.
        exchanged: ``"within tasks"``, or ``"among tasks"`` where it is a fact of the task.
        importance: the mean over the tasks, of which uncertain ones count less.
        interval: of it.
        spread: the standard deviation between tasks that is no chance.
        tasks: those that have rows to tell.
    """

    column: str
    metric: str
    exchanged: str
    importance: float
    interval: tuple[float, float]
    spread: float
    tasks: tuple[TaskImportance, ...]

    @property
    def matters_to_all(self) -> bool:
        """Whether the mean is shown to be above 0, and most tasks with it: where tasks differ by
        more than the mean, one or some of them may be all of it.
        """
        return self.interval[0] > 0 and self.importance > self.spread

    @property
    def matters_to(self) -> tuple[str, ...]:
        """The tasks to which it is shown to matter, most first; of a column that matters to all,
        those to which it matters more than in the mean.
        """
        least = self.importance if self.matters_to_all else 0.0
        found = [each for each in self.tasks if each.interval[0] > least]
        found.sort(key=lambda each: -each.importance)
        return tuple(each.task for each in found)

    @property
    def verdict(self) -> str:
        """In words."""
        tasks = self.matters_to
        more = f" and {len(tasks) - SHOWN} more" if len(tasks) > SHOWN else ""
        names = ", ".join(tasks[:SHOWN]) + more
        if self.matters_to_all:
            return f"to all, most to {names}" if tasks else "to all"
        return f"only to {names}" if tasks else "not shown"


@dataclass(frozen=True)
class Explanation:
    """What each column of a table tells a model.

    Args:
        rows: one a column and metric, those that matter most first.
        n_rows: labelled rows that told.
        repeats: how often each column's values were exchanged.
    """

    rows: tuple[Importance, ...]
    n_rows: int
    repeats: int

    @property
    def table(self) -> pd.DataFrame:
        """A line a column: its importance in the whole, and whom it matters to."""
        lines = []
        for row in self.rows:
            low, high = row.interval
            lines.append(
                {
                    "column": row.column,
                    "metric": row.metric,
                    "importance": row.importance,
                    "from": low,
                    "to": high,
                    "between tasks": row.spread,
                    "matters": row.verdict,
                    "exchanged": row.exchanged,
                }
            )
        return pd.DataFrame(lines)

    @property
    def tasks(self) -> pd.DataFrame:
        """A line a column and task."""
        lines = []
        for row in self.rows:
            for each in row.tasks:
                low, high = each.interval
                lines.append(
                    {
                        "column": row.column,
                        "task": each.task,
                        "rows": each.rows,
                        "metric": row.metric,
                        "importance": each.importance,
                        "from": low,
                        "to": high,
                    }
                )
        return pd.DataFrame(lines)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        columns = []
        for row in self.rows:
            tasks = [
                {
                    "task": each.task,
                    "rows": each.rows,
                    "importance": each.importance,
                    "interval": list(each.interval),
                }
                for each in row.tasks
            ]
            columns.append(
                {
                    "column": row.column,
                    "metric": row.metric,
                    "exchanged": row.exchanged,
                    "importance": row.importance if tasks else None,
                    "interval": list(row.interval) if tasks else None,
                    "spread": row.spread if tasks else None,
                    "matters_to_all": row.matters_to_all,
                    "matters_to": list(row.matters_to),
                    "matters": row.verdict,
                    "tasks": tasks,
                }
            )
        return {
            "rows": self.n_rows,
            "repeats": self.repeats,
            "level": LEVEL,
            "columns": columns,
        }

    def _repr_html_(self) -> str:
        html: str = self.table.to_html(index=False, float_format="{:.4g}".format)
        return html
