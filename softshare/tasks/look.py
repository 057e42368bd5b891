"""What was understood of the data before anything is trained: tasks, targets, every column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape

from pydantic import TypeAdapter, ValidationError

FILE = "look.json"
"""Where a comparison keeps it."""

COLUMN_HEADS = ("column", "read as", "why", "examples", "missing", "inputs")
TASK_HEADS = ("task", "target", "rows", "of the positive class, or mean")
OTHERWISE = (
    "To read a column otherwise: --columns NAME=number, category, date, day-first, month-first, "
    "time or drop."
)


@dataclass(frozen=True)
class ColumnLine:
    """One column as it is shown.

    Args:
        name: of the column.
        read_as: what becomes of it.
        why: in a few words.
        examples: of its values.
        missing: rows in which it is missing.
        inputs: how many numbers are made of it.
    """

    name: str
    read_as: str
    why: str
    examples: str
    missing: int
    inputs: int

    @property
    def cells(self) -> tuple[str, ...]:
        """Its line in a table."""
        missing = f"{self.missing:,}" if self.missing else ""
        inputs = f"{self.inputs:,}" if self.inputs else "–"
        return self.name, self.read_as, self.why, self.examples, missing, inputs


@dataclass(frozen=True)
class TaskLine:
    """One task as it is shown.

    Args:
        name: of the task.
        target: its kind, and its classes where they are few.
        rows: labelled ones.
        level: the fraction of the positive class, or the mean of numbers; nothing for many classes.
    """

    name: str
    target: str
    rows: int
    level: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Its line in a table."""
        return self.name, self.target, f"{self.rows:,}", self.level


@dataclass(frozen=True)
class Look:
    """What was understood of a task set.

    Args:
        summary: tasks, rows and inputs in a line.
        target: the target's kind and positive class in a line; of several targets each has its own
            in ``tasks``.
        tasks: the first of them.
        n_tasks: how many there are.
        columns: of a table, in its order; none of other inputs.
        notes: what was done in reading.
        cautions: what its owner should know.
    """

    summary: str
    target: str
    tasks: tuple[TaskLine, ...]
    n_tasks: int
    columns: tuple[ColumnLine, ...] = ()
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As JSON text; :meth:`from_json` reads it."""
        return json.dumps(
            asdict(self),
            indent=1,
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Look:
        """What :meth:`to_json` wrote.

        Raises:
            ValueError: the text is something else.
        """
        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            raise ValueError(f"this is no look ({error.errors()[0]['msg']})") from None

    def __str__(self) -> str:
        lines = [self.summary, self.target, ""]
        lines += _aligned(TASK_HEADS, [line.cells for line in self.tasks])
        if self.n_tasks > len(self.tasks):
            lines.append(f"and {self.n_tasks - len(self.tasks):,} more tasks")
        if self.columns:
            lines += ["", *_aligned(COLUMN_HEADS, [line.cells for line in self.columns])]
        told = [*self.cautions, *self.notes]
        lines += ["", *(f"· {line}" for line in told)] if told else []
        return "\n".join(line for line in lines if line is not None)

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(self.summary)}<br>{escape(self.target)}</p>"]
        told = [*self.cautions, *self.notes]
        if told:
            items = "".join(f"<li>{escape(line)}</li>" for line in told)
            parts.append(f"<ul>{items}</ul>")
        more = self.n_tasks - len(self.tasks)
        parts.append(
            _html_table(
                TASK_HEADS,
                [line.cells for line in self.tasks],
                more,
            )
        )
        if self.columns:
            parts.append(
                _html_table(
                    COLUMN_HEADS,
                    [line.cells for line in self.columns],
                    0,
                )
            )
        return "".join(parts)


def _aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table as plain text."""
    lines = [heads, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    made = []
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        made.append("  ".join(cells).rstrip())
    return made


def _html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], more: int) -> str:
    made = ["".join(f"<th>{escape(head)}</th>" for head in heads)]
    for row in rows:
        made.append("".join(f"<td>{escape(cell)}</td>" for cell in row))
    if more:
        made.append(f"<td colspan={len(heads)}>and {more:,} more</td>")
    lines = "".join(f"<tr>{row}</tr>" for row in made)
    return f"<table>{lines}</table>"
