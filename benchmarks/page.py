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

Every row compares one step of ours with another way to do the same, both timed in turns in one \
run at one thread, the
same optimizer on both sides. The *ratio* is the other's time divided by ours: above 1 ours is \
faster. *Must* is the ratio
asked for, where one is. Pairs are ours / the other's. Memory is the most that is held at once \
beyond parameters and the optimizer's
state: activations, what is composed, and gradients, those of the step before too until the \
backward pass begins. *Of GEMM
rate* is the arithmetic of the step as a share of what a large matrix product does in the same time.

This page is made by `make bench`; the numbers are those of one run on the {device}, {threads} \
thread, torch {torch}, {date}.
`network.plan(inputs)` prints which way each layer of a network of yours runs, and the counts by \
which that was decided.
"""

ON_CPU = """\
Times are what the processor spent on the process, so that a neighbour's turns do not count. \
There are no figures of a GPU
here: `python -m benchmarks --device cuda --out gpu.json` runs the same cases on one.
"""

GROUPS = {
    "layers": (
        "One layer",
        "Forward, the gradients of weights and input, and the update of a layer in all tasks.",
    ),
    "orders": (
        "Orders of contraction",
        "Beside the fastest order of contracting factors and input, each order timed that "
        "has at most 4 times the fewest "
        "multiply-adds of any. LAF has three operands, so three orders.",
    ),
    "networks": (
        "Independent and tied networks",
        "A step as `ss.fit` makes it. Independent networks stand beside one module a task "
        "in a loop; tied ones, which share all layers "
        "but the last, beside hard sharing: the tasks' rows go through one trunk task by "
        "task, or all at once, then through a head a task.",
    ),
    "factorised": (
        "Factorised networks",
        "Ranks are 0.3 of the largest. The cheapest order of composing one task's weights, "
        "or of its factors and its input, is found by "
        "our own search; *einsum as written* contracts from left to right, which is slow "
        "everywhere and timed in three networks only. "
        "*Composing once* is our contraction for all tasks, so the rest of the step is "
        "what differs.",
    ),
    "soft ordering": (
        "Soft ordering",
        "Beside the loops that the equation suggests, with plain layers.",
    ),
    "peers": (
        "Other libraries",
        "TensorLy-Torch keeps the same factors but makes the weights before it uses them. "
        "With its factors and the input joined by hand in "
        "our order nothing is left of the difference: what is gained is the order of "
        "contraction. TorchJD's UPGrad makes one backward "
        "pass through the trunk a task and solves a quadratic programme to reconcile their "
        "gradients: more than hard "
        "sharing with summed losses, which stands beneath it.",
    ),
    "trace norm": (
        "Trace norms",
        "Value and gradient of one unfolding's trace norm, beside PyTorch's `svdvals` of "
        "the unfolding as the papers write it and, where "
        "that is wide, of its transpose: the same norm, and a faster SVD. Each size of a "
        "layer's unfoldings stands here once.",
    ),
    "many tasks": (
        "Very many tasks",
        "Steps on some tasks of many, with sparse rows and the lazy optimizer. Each of "
        "fifty steps in turn takes other tasks.",
    ),
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
    parts = [
        INTRODUCTION.format(**about),
        *([ON_CPU] if about["device"] == "cpu" else []),
        f"**In short:** {summary(rows)}.\n",
    ]
    for group, (title, text) in GROUPS.items():
        if own := [row for row in rows if row["group"] == group]:
            parts.append(f"## {title}\n\n{text}\n\n{_table(own)}".replace("\n\n\n\n", "\n\n"))
    parts.append(losses(rows))
    return "\n".join(parts)


def _table(rows: Sequence[Row]) -> str:
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
        *(f"| {' | '.join(cells(row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


MORE_MEMORY = 1.1
"""Times the other's memory from which on a row is a loss."""


def losses(rows: Sequence[Row]) -> str:
    """Where ours is the slower one or takes more memory, and what it does not reach."""
    lost = [(row, 1 / row["ratio"], 1 / row["memory_ratio"]) for row in rows]
    lost = [(row, time, memory) for row, time, memory in lost if time > 1 or memory > MORE_MEMORY]
    lines = ["## Where it loses\n"]
    if lost:
        lines += [
            "Our time and memory by the other's, where it is slower or takes over "
            f"{MORE_MEMORY:g} times the memory.\n"
        ]
        lines += ["| case | against | time | memory |", "|---|---|--:|--:|"]
        lines += [
            f"| {row['name']} | {row['other']} | {f'{time:.2f}' if time > 1 else ''} | "
            f"{f'{memory:.2f}' if memory > MORE_MEMORY else ''} |"
            for row, time, memory in sorted(lost, key=lambda entry: (min(-entry[1], -1), -entry[2]))
        ]
    missed = [row for row in rows if row["reached"] is False]
    lines += ["\nNot reached:\n", *_missed(missed)] if missed else []
    return "\n".join(lines if len(lines) > 1 else [*lines, "Nowhere in these cases."]) + "\n"


def _missed(rows: Sequence[Row]) -> list[str]:
    """A line for each row, one for all trace norms."""
    norms = [row for row in rows if row["group"] == "trace norm"]
    lines = [
        f"* {row['name']} against {row['other']}: {_missing(row)}."
        for row in rows
        if row not in norms
    ]
    if norms:
        worst = min(norms, key=lambda row: row["ratio"] / row["at_least"])
        lines.append(
            f"* {len(norms)} rows of trace norms; the farthest off is {worst['name']} "
            f"against {worst['other']}: {_missing(worst)}."
        )
    return lines


def _missing(row: Row) -> str:
    values = (
        ("", row["ratio"], row["at_least"]),
        ("memory ", row["memory_ratio"], row["memory_at_least"]),
    )
    return ", ".join(
        f"{of}{value:.2f}, where {least:.2f} is asked for"
        for of, value, least in values
        if least and value < least
    )


if __name__ == "__main__":
    app()
