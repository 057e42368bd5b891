"""What a model is and how well it does, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from softshare.report.listing import show_line
from softshare.report.words import per_cent

MOST_TASKS = 40


def show_model(found: Mapping[str, Any], console: Console) -> None:
    """Write what a model is.

    Args:
        found: as :func:`softshare.models.inspection.inspected` tells it.
        console: where to.
    """
    n_rows = sum(row["rows"] for row in found["tasks"])
    told = f"{found['method']}: {len(found['tasks'])} tasks, {n_rows:,} rows of {found['source']}"
    console.print(Text(told, style="bold"), soft_wrap=True)
    if (count := found["parameters"]) is not None:
        show_line(console, f"{count:,} numbers were learned")
    for decided in found["decided"].get("pieces", [found["decided"]]):
        _show_weights(decided, console)
    if found["layers"]:
        console.print(_layers(found["layers"]))
    for task in found["added"]:
        show_line(console, f"{task['task']} was added later, from {task['rows']:,} rows")
    if found["measures"]:
        show_line(console, f"Judged on {found['judged_on']}:")
        console.print(_measures(found["measures"]))
    for note in found["notes"]:
        show_line(console, f"· {note}")


def show_evaluation(
    rows: Sequence[Mapping[str, Any]], means: Mapping[str, float], console: Console
) -> None:
    """Write how well a model does on labelled rows, task by task and in the mean."""
    console.print(_measures(rows))
    for metric, value in means.items():
        show_line(console, f"mean over tasks: {metric} {value:.4g}")


def _show_weights(decided: Mapping[str, Any], console: Console) -> None:
    if weights := decided.get("weights"):
        parts = [f"{name} {per_cent(weight)}" for name, weight in weights.items()]
        of_tasks = f" for {_listed(decided['tasks'])}" if "tasks" in decided else ""
        show_line(console, f"the answer{of_tasks} weighs {', '.join(parts)}")
    if own := decided.get("own_weights"):
        show_line(console, f"{len(own)} task(s) have weights of their own: {_listed(list(own))}")
    if apart := decided.get("apart"):
        told = f"learned apart, as joining would hurt them: {_listed(list(apart))}"
        show_line(console, told)
    for name, reason in decided.get("left_out", {}).items():
        show_line(console, f"{name} is left out: {reason}")


def _layers(layers: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for head in ("layer", "sharing", "ranks", "numbers", "apart", "own"):
        table.add_column(head, justify="left" if head in ("layer", "sharing") else "right")
    for name, layer in layers.items():
        own = layer.get("own")
        cells = (
            name,
            layer["sharing"],
            " ".join(map(str, layer["ranks"])),
            f"{layer['parameters']:,}",
            f"{layer['independent_parameters']:,}",
            "" if own is None else per_cent(own),
        )
        table.add_row(*map(Text, cells))
    return table


def _measures(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for head in ("task", "rows", "metric", "value", "95 % interval"):
        table.add_column(head, justify="left" if head in ("task", "metric") else "right")
    for row in rows[:MOST_TASKS]:
        ends = row["interval"]
        cells = (
            row["task"],
            f"{row['rows']:,}",
            row["metric"],
            "–" if row["value"] is None else f"{row['value']:.4g}",
            "–" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}",
        )
        table.add_row(*map(Text, cells))
    hidden = len(rows) - MOST_TASKS
    if hidden > 0:
        table.add_row(f"and {hidden:,} more")
    return table


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
