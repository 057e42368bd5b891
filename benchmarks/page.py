"""``python -m benchmarks.page``: the page of the documentation from the benchmarks' results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App

from benchmarks.__main__ import COLUMNS, RESULTS, Row, cells, summary

app = App(name="benchmarks.page", help=__doc__)

INTRODUCTION = """\
# Performance

Every row compares one step of ours with another way to do the same, both timed in turns in one run at one thread, the
same optimizer on both sides. The *ratio* is the other's time divided by ours: above 1 ours is faster. *Must* is the ratio
asked for, where one is. Pairs are ours / the other's. Memory is the most that a step holds at once beyond parameters and the
optimizer's state. *Of GEMM rate* is the arithmetic of the step as a share of what a large matrix product does in the same time.

This page is made by `make bench`; the numbers are those of one run on the {device}, {threads} thread, torch {torch}, {date}.
`network.plan(inputs)` prints which way each layer of a network of yours runs, and the counts by which that was decided.
"""

GROUPS = {
    "layers": ("One layer", "Forward, the gradients of weights and input, and the update of a layer in all tasks."),
    "orders": ("Orders of contraction", "Beside the fastest order found by timing every order of contracting factors and input."),
    "networks": ("Independent and tied networks", "A step as `ss.fit` makes it, against one network a task in a loop."),
    "factorised": ("Factorised networks", "Ranks are 0.3 of the largest."),
    "soft ordering": ("Soft ordering", ""),
    "peers": ("Other libraries", ""),
    "trace norm": ("Trace norms", "Value and gradient of one unfolding's trace norm."),
    "many tasks": ("Very many tasks", "Steps on some tasks of many, with sparse rows and the lazy optimizer."),
}


@app.default
def main(*, results: Path = RESULTS, out: Path = Path("docs/performance.md")) -> None:
    """Write the page.

    Args:
        results: what ``python -m benchmarks`` has written.
        out: the page.
    """
    content = json.loads(results.read_text())
    out.write_text(page(content["about"], content["results"]))


def page(about: Row, rows: Sequence[Row]) -> str:
    """The page's text."""
    parts = [INTRODUCTION.format(**about), f"**In short:** {summary(rows)}.\n"]
    for group, (title, text) in GROUPS.items():
        if own := [row for row in rows if row["group"] == group]:
            parts.append(f"## {title}\n\n{text}\n\n{_table(own)}".replace("\n\n\n\n", "\n\n"))
    parts.append(_losses(rows))
    return "\n".join(parts)


def _table(rows: Sequence[Row]) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|--:|--:|--:|--:|--:|--:|", *(f"| {' | '.join(cells(row))} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _losses(rows: Sequence[Row]) -> str:
    """Where ours is the slower one, or does not reach what it must."""
    slower = sorted(
        (row for row in rows if row["ratio"] < 1 and row["group"] not in ("orders", "many tasks")), key=lambda row: row["ratio"]
    )
    missed = [row for row in rows if row["reached"] is False]
    lines = ["## Where it loses\n"]
    lines += [f"* {row['name']}: {1 / row['ratio']:.2f} times the time of {row['other']}." for row in slower]
    if missed:
        lines.append("\nNot reached:\n")
        lines += [
            f"* {row['name']} against {row['other']}: {row['ratio']:.2f}, where {row['at_least']:.2f} is asked for." for row in missed
        ]
    return "\n".join(lines if slower or missed else [*lines, "Nowhere in these cases."]) + "\n"


if __name__ == "__main__":
    app()
