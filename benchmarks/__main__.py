"""``python -m benchmarks``: every case in one run at one thread; a table, a JSON file, and a last
line that sums up.

About 20 minutes on one core. ``--only layers`` runs the cases with that word in their group or
name, ``--device cuda`` all of them on a GPU, ``--seconds`` sets how long each is timed. Only a run
of all cases on a CPU is kept unasked, as the documentation's numbers; any other where ``--out``
says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from math import exp, log
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from cyclopts import App

from benchmarks import activations, layers, many_tasks, networks, orderings, peers, penalties
from benchmarks.case import Case
from benchmarks.measure import measure

RESULTS = Path("benchmarks/results.json")

COLUMNS = ("case", "against", "ratio", "quartiles", "must", "ms", "MB", "of GEMM rate")

DECOMPOSING = ("trace norm",)
"""Groups whose steps are mostly decompositions, whose arithmetic is not counted."""

Row = dict[str, Any]
"""One comparison as it is written down."""

app = App(name="benchmarks", help=__doc__)


@app.default
def main(
    *, only: str = "", seconds: float = 3.0, device: str = "cpu", out: Path | None = None
) -> None:
    """Run the benchmarks.

    Args:
        only: part of a group's or a case's name.
        seconds: time spent on each case beside its set-up.
        device: "cpu" or "cuda".
        out: where the results go; for a run of all cases on a CPU the documentation's file,
            otherwise nowhere, when None.
    """
    torch.set_num_threads(1)
    every = [
        case
        for module in (layers, networks, activations, orderings, peers, penalties, many_tasks)
        for case in module.cases()
    ]
    chosen = [
        case for case in every if only.lower() in f"{case.group} {case.name} {case.other}".lower()
    ]
    if not chosen:
        raise SystemExit(
            f"no case has {only!r} in its name; the groups are "
            f"{', '.join(dict.fromkeys(case.group for case in every))}"
        )
    rows = []
    for case in chosen:
        if row := _row(case, torch.device(device), seconds):
            rows.append(row)
    print(_table(rows))
    about = {
        "torch": torch.__version__.partition("+")[0],
        "device": device,
        "threads": 1,
        "date": datetime.now(UTC).date().isoformat(),
    }
    if out := out or (RESULTS if not only and device == "cpu" else None):
        out.write_text(json.dumps({"about": about, "results": rows}, indent=1) + "\n")
    print(summary(rows))


def _row(case: Case, device: torch.device, seconds: float) -> Row | None:
    torch.manual_seed(0)
    try:
        ours, other = case.make(device)
    except ModuleNotFoundError as error:
        print(f"left out: {case.name} against {case.other}: {error}; pip install -e '.[bench]'")
        return None
    measured = measure(ours, other, seconds=seconds, device=device)
    memory = measured.peak_bytes[1] / max(measured.peak_bytes[0], 1)
    musts = [(measured.ratio, case.at_least), (memory, case.memory_at_least)]
    reached = (
        None
        if case.at_least is None
        else all(least is None or value >= least for value, least in musts)
    )
    print(f"{measured.ratio:8.2f}  {case.name} against {case.other}", flush=True)
    about = {"group": case.group, "name": case.name, "other": case.other, "at_least": case.at_least}
    return (
        about
        | asdict(measured)
        | {"memory_ratio": memory, "memory_at_least": case.memory_at_least, "reached": reached}
    )


def cells(row: Row) -> list[str]:
    """A row of the table: case, other, ratio, quartiles, must, and pairs of times, peak memory and
    shares of the GEMM rate.
    """
    must = (
        "" if row["at_least"] is None else f"{row['at_least']:.2f}{'' if row['reached'] else ' NO'}"
    )
    milliseconds = " / ".join(f"{1e3 * value:.4g}" for value in row["seconds"])
    megabytes = " / ".join(f"{value / 1e6:.3g}" for value in row["peak_bytes"])
    shares = (
        ""
        if row["group"] in DECOMPOSING
        else " / ".join(f"{value:.0%}" for value in row["gemm_share"])
    )
    return [
        row["name"],
        row["other"],
        f"{row['ratio']:.2f}",
        f"{row['low']:.2f}–{row['high']:.2f}",
        must,
        milliseconds,
        megabytes,
        shares,
    ]


def _table(rows: Sequence[Row]) -> str:
    lines = [list(COLUMNS), *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def summary(rows: Sequence[Row]) -> str:
    """The geometric mean of each group's ratios, and how many of those that must be reached are."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row["ratio"])
    means = ", ".join(
        f"{group} {exp(mean(log(ratio) for ratio in ratios)):.2f}"
        for group, ratios in groups.items()
    )
    musts = [row["reached"] for row in rows if row["reached"] is not None]
    return (
        f"{sum(musts)} of {len(musts)} ratios that must be reached are; geometric means "
        f"(others' time by ours): {means}"
    )


if __name__ == "__main__":
    app()
