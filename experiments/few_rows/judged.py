"""What the records say of ``auto`` and of sharing, as tables of numbers.

All differences are paired by seeds, a mean with its standard error; a difference is called sure
where its 95 % t-interval excludes 0. Seeds split the same rows, so that intervals are a little too
short.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import pandas as pd
from scipy import stats

from experiments.few_rows.cells import RECORDS
from experiments.few_rows.tables import ALL, TABLES
from softshare.methods.named import LINEAR, NETWORKS

AUTOS = ("auto quick", "auto")
RIVALS = ("pooled-ridge", "mixed-model", "boosted")
FEWEST_SEEDS = 3
"""For an interval."""

SHARING = (
    *(method.name for method in LINEAR),
    *(method.name for method in NETWORKS if method.name not in ("independent", "pooled")),
)
"""What learns how tasks share; all else learns apart, or one model for all."""


def read_all(tables: Collection[str] = TABLES) -> pd.DataFrame:
    """A row per table, fraction, seed and method, with its ``value``, ``seconds`` and ``code``, and
    of sums ``own``: the largest share that tasks' own parts have in a layer's squares.
    """
    rows = []
    for path in sorted(RECORDS.glob("*.json")):
        record = json.loads(path.read_text())
        if record["table"] not in tables:
            continue
        cell = {name: record[name] for name in ("table", "fraction", "seed")}
        for method, figures in record["methods"].items():
            kept = {name: figures.get(name) for name in ("value", "seconds", "code")}
            shares = [own for _, own in figures.get("spreads", {}).values()]
            rows.append(cell | {"method": method, "own": max(shares, default=None)} | kept)
    return pd.DataFrame(rows)


def cells(
    records: pd.DataFrame, *, beside: str = AUTOS[0]
) -> dict[tuple[str, float], pd.DataFrame]:
    """(table, fraction) → the values, a row a seed and a column a method, of the seeds on which a
    method was run.
    """
    order = list(ALL)
    found = {}
    for key, cell in records.groupby(["table", "fraction"]):
        values = cell.pivot(index="seed", columns="method", values="value")
        if beside in values:
            found[key] = values[values[beside].notna()].dropna(axis=1, how="all")
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1])))


def difference(values: pd.DataFrame, one: str, other: str) -> dict[str, float]:
    """What one method gains over another on the seeds of both: ``mean``, ``error`` (its standard
    error), the interval's ``half``, how many ``seeds``, and ``sure``: 1 better, −1 worse, else 0.
    """
    gains = (values[one] - values[other]).dropna()
    n_seeds = len(gains)
    found = {"mean": float(gains.mean()), "seeds": n_seeds, "sure": 0}
    if n_seeds < FEWEST_SEEDS:
        return found | {"error": float("nan"), "half": float("nan")}
    error = float(gains.sem())
    half = float(stats.t.ppf(0.975, n_seeds - 1)) * error
    sure = int(found["mean"] > half) - int(found["mean"] < -half)
    return found | {"error": error, "half": half, "sure": sure}


def best_of(values: pd.DataFrame, methods: list[str]) -> str:
    """The method with the highest mean over the seeds that all of them have."""
    return str(values[methods].dropna().mean().idxmax())


def singles(values: pd.DataFrame) -> list[str]:
    """The methods that are no ``auto``, of a cell's columns, run on most of its seeds."""
    counts = values.count()
    return [name for name in values if name not in AUTOS and counts[name] > len(values) / 2]


def mean_ranks(found: dict[tuple[str, float], pd.DataFrame]) -> pd.DataFrame:
    """Mean rank of each method over the cells that have it: ``rank``, and of how many ``cells``.

    A cell ranks the means over the seeds that all of its methods have.
    """
    ranks = []
    for values in found.values():
        methods = [*singles(values), *(name for name in AUTOS if name in values)]
        ranks.append(values[methods].dropna().mean().rank(ascending=False))
    table = pd.DataFrame(ranks)
    return pd.DataFrame({"rank": table.mean(), "cells": table.count()}).sort_values("rank")


def network_gaps(records: pd.DataFrame) -> pd.DataFrame:
    """What every network's default at a tenth of the rows gains over pooled-ridge, a row each."""
    names = [method.name for method in NETWORKS]
    found = cells(records[records["fraction"] == 0.1])
    rows = []
    for name in names:
        row: dict[str, object] = {"method": name}
        for (table, _), values in found.items():
            if name in values and "pooled-ridge" in values:
                gap = difference(values, name, "pooled-ridge")
                row[table] = gap["mean"]
                row[f"{table} seeds"] = gap["seeds"]
        rows.append(row)
    return pd.DataFrame(rows).set_index("method")
