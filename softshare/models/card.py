"""A model's card: what people should know who use it, as Markdown with a head in YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from softshare.methods.settings import RunSettings
from softshare.tasks.printable import printable
from softshare.tasks.task_set import TaskSet

MOST_TASKS = 200
"""Tasks that the card lists."""


def card_of(facts: Mapping[str, Any], settings: RunSettings, form: TaskSet) -> str:
    """The card.

    Args:
        facts: what is known of the model.
        settings: of the run that it is from.
        form: its tasks.
    """
    kinds = sorted({task.kind for task in form.tasks})
    of_kind = {"regression": "tabular-regression"}
    tags = sorted({of_kind.get(kind, "tabular-classification") for kind in kinds})
    head = ["---", "library_name: softshare", f"pipeline_tag: {tags[0]}", "tags:"]
    head += [f"- {tag}" for tag in ("multi-task-learning", *tags)]
    head += ["---", ""]
    source = PurePath(settings.source).name  # where it lies is nobody's business
    n_rows = sum(row["rows"] for row in facts["tasks"])
    table = form.table
    lines = [
        f"# {len(form)} tasks, learned by {settings.method}",
        "",
        f"Learned from {n_rows:,} labelled rows of {_cell(source)} with softshare "
        f"{facts['versions']['softshare']}.",
        "",
    ]
    if table is not None:
        told = ", ".join(map(_cell, table.target))
        lines += [f"It predicts {told}" + _of_tasks(table.task) + ".", ""]
    lines += ["## How well it does", "", f"Measured on {facts['judged_on']}.", ""]
    lines += _metrics(facts)
    lines += ["## What is shared", "", *_shared(facts), ""]
    lines += ["## What was done to the data", "", *_notes(form.notes), ""]
    lines += [
        "## Limits",
        "",
        "It knows rows like those that it has learned from. A task that it has not learned is "
        "answered by what the learned ones have in common, which may be far off where tasks "
        "differ. Tasks with few rows have uncertain figures above.",
        "",
        "## Use",
        "",
        "    softshare predict MODEL new.csv --out predictions.csv",
        "",
    ]
    return "\n".join([*head, *lines])


def _of_tasks(task: Sequence[str]) -> str:
    return f" of every row's {' and '.join(map(_cell, task))}" if task else ""


def _metrics(facts: Mapping[str, Any]) -> list[str]:
    lines = ["| task | rows | metric | value | 95 % interval |", "|---|---:|---|---:|---|"]
    rows = facts["measures"]
    for row in rows[:MOST_TASKS]:
        ends = row["interval"]
        between = "–" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"
        value = "–" if row["value"] is None else f"{row['value']:.4g}"
        name = _cell(row["task"])
        lines.append(f"| {name} | {row['rows']:,} | {row['metric']} | {value} | {between} |")
    if len(rows) > MOST_TASKS:
        lines.append(f"| and {len(rows) - MOST_TASKS:,} more | | | | |")
    return [*lines, ""]


def _shared(facts: Mapping[str, Any]) -> list[str]:
    lines = []
    for decided in facts["decided"].get("pieces", [facts["decided"]]):
        of_tasks = f" for {_some(decided['tasks'])}" if "tasks" in decided else ""
        if weights := decided.get("weights"):
            parts = [f"{name} {weight:.0%}" for name, weight in weights.items()]
            lines.append(f"The answer{of_tasks} weighs {', '.join(parts)}.")
        if apart := decided.get("apart"):
            lines.append(f"Learned apart, as joining would hurt them: {_some(apart)}.")
    for layer, of_layer in facts["sharing"]["layers"].items():
        count = f"{of_layer['parameters']:,} of {of_layer['independent_parameters']:,} parameters"
        lines.append(f"- `{layer}`: {of_layer['sharing']}, {count} that learning apart would have.")
    return lines or ["What the method shares: `softshare methods`."]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(_cell, names[:10])) + more


def _notes(notes: Sequence[str]) -> list[str]:
    return [f"- {_cell(note)}" for note in notes] or ["Nothing."]


def _cell(text: str) -> str:
    """Text that is no markup."""
    plain = printable(str(text))
    for mark in "\\`*_[]<>|#":
        plain = plain.replace(mark, "\\" + mark)
    return plain
