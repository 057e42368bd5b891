"""A model as a notebook shows it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from softshare.models.evaluation import Evaluation
from softshare.tasks.printable import printable

MOST_TASKS = 20


def html_of(method: str, facts: Mapping[str, Any]) -> str:
    """What it is, what it weighs, and how well it does on its first tasks."""
    n_rows = sum(row["rows"] for row in facts["tasks"])
    told = f"{method}: {len(facts['tasks'])} tasks, {n_rows:,} rows"
    parts = [f"<p><strong>{escape(printable(told))}</strong></p>"]
    weights = facts["decided"].get("weights")
    if weights:
        listed = ", ".join(f"{name} {weight:.0%}" for name, weight in weights.items())
        parts.append(f"<p>The answer weighs {escape(printable(listed))}.</p>")
    measures = facts["measures"]
    if measures:
        parts.append(f"<p>Judged on {escape(facts['judged_on'])}:</p>")
        table = Evaluation(tuple(measures[:MOST_TASKS])).table
        parts.append(table.to_html(index=False, float_format="{:.4g}".format))
        if len(measures) > MOST_TASKS:
            parts.append(f"<p>and {len(measures) - MOST_TASKS:,} more</p>")
    return printable("\n".join(parts))
