"""How much of each layer's weights the tasks have in common, where these are sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from softshare.evaluation.words import listed
from softshare.report.findings import Findings
from softshare.report.tables import Cell, Table
from softshare.report.words import NONE, per_cent

MOST_NAMED = 3
"""Tasks that are named because they differ most."""

LEAST = 0.001
"""A smaller share is nothing to name a task for."""

FAR = 1.5
"""A task is named where its own share is so many times the tasks' mean."""


def own_parts(findings: Findings) -> Table:
    """A row for every layer that is a common weight plus each task's own deviation."""
    heads = ["method", "layer", "own", "learned spread", "common size", "tasks that differ most"]
    layers: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for method in findings.methods:
        for record in findings.runs(method):
            of_run = record["sharing"]["layers"]
            for name, layer in of_run.items():
                if layer.get("own") is None:
                    continue
                key = (method, name)
                layers.setdefault(key, []).append(layer)
    names = [str(task["name"]) for task in findings.tasks]
    rows = []
    for (method, name), of_runs in layers.items():
        own = _mean("own", of_runs) or 0.0
        spread = _told("spread", of_runs)
        size = _told("common_size", of_runs)
        farthest = _farthest(of_runs, names)
        cells = [
            Cell(method),
            Cell(name),
            Cell(_share(own), "number"),
            Cell(spread, "number"),
            Cell(size, "number"),
            Cell(farthest),
        ]
        rows.append(cells)
    return Table(heads, rows)


def _mean(key: str, of_runs: Sequence[Mapping[str, Any]]) -> float | None:
    """Over the runs that have the value."""
    known = [float(layer[key]) for layer in of_runs if layer.get(key) is not None]
    return fmean(known) if known else None


def _share(value: float) -> str:
    """In per cent; what is nearly nothing is told so."""
    rounded = round(value, 3)
    return per_cent(rounded) if rounded or not value else "< 0.1 %"


def _told(key: str, of_runs: Sequence[Mapping[str, Any]]) -> str:
    value = _mean(key, of_runs)
    return NONE if value is None else f"{value:.2g}"


def _farthest(of_runs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """The tasks with the largest own shares, where they stand out."""
    known = []
    for layer in of_runs:
        of_tasks = layer.get("own_by_task") or []
        if len(of_tasks) == len(names):
            known.append(of_tasks)
    if not known:
        return NONE
    shares = [fmean(of_task) for of_task in zip(*known, strict=True)]
    typical = fmean(shares)
    least = max(FAR * typical, LEAST)
    pairs = zip(shares, names, strict=True)
    far = [(share, name) for share, name in pairs if share > least]
    far.sort(key=lambda pair: pair[0], reverse=True)
    named = far[:MOST_NAMED]
    told = []
    for share, name in named:
        told.append(f"{name} ({_share(share)})")
    return listed(told) if told else "none stands out"
