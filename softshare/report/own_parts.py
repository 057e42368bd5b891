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

FAR = 1.5
"""A task is named where its own share is so many times the tasks' mean."""


def own_parts(findings: Findings) -> Table:
    """A row for every layer that is a common weight plus each task's own deviation."""
    heads = ["method", "layer", "own", "learned spread", "common size", "tasks that differ most"]
    layers: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for method in findings.methods:
        for record in findings.runs(method):
            for name, layer in record["sharing"]["layers"].items():
                if layer.get("own") is not None:
                    layers.setdefault((method, name), []).append(layer)
    names = [str(task["name"]) for task in findings.tasks]
    rows = []
    for (method, name), of_runs in layers.items():
        cells = [
            Cell(method),
            Cell(name),
            Cell(_share(_mean("own", of_runs) or 0.0), "number"),
            Cell(_told("spread", of_runs), "number"),
            Cell(_told("common_size", of_runs), "number"),
            Cell(_farthest(of_runs, names)),
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
    known = [layer["own_by_task"] for layer in of_runs if layer.get("own_by_task")]
    known = [shares for shares in known if len(shares) == len(names)]
    if not known:
        return NONE
    shares = [fmean(of_task) for of_task in zip(*known, strict=True)]
    typical = fmean(shares)
    places = sorted(range(len(names)), key=lambda place: shares[place], reverse=True)
    far = [place for place in places if shares[place] > FAR * typical and shares[place] >= 0.001]
    told = [f"{names[place]} ({_share(shares[place])})" for place in far[:MOST_NAMED]]
    return listed(told) if told else "none stands out"
