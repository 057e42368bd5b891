"""Which way to learn apart is the one that others are compared with.

What is learned together must be better than the best that one would do task by task, not than the
weakest: of the ways to learn apart that were run, rows held out of the training part choose one for
every seed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from softshare.evaluation.select import score
from softshare.evaluation.words import listed

WAYS = ("independent", "ridge", "boosted-apart", "forest-apart", "kernel-apart")
"""Names of :data:`softshare.methods.named.APART`, which whoever reads records need not import; the
first counts where nothing was held out.
"""

Chosen = Mapping[tuple[float, int], str]
"""(Training fraction, seed) → the way to learn apart."""


def chosen_ways(records: Sequence[Mapping[str, Any]]) -> Chosen:
    """The best way to learn apart of every fraction and seed, by rows held out in training.

    Args:
        records: of one comparison.
    """
    best: dict[tuple[float, int], tuple[float, int]] = {}
    for record in records:
        settings = record["settings"]
        if settings["method"] not in WAYS or record["error"]:
            continue
        place = WAYS.index(settings["method"])
        judged = score(dict(record))
        rank = (-math.inf if judged is None else judged, -place)
        run = (settings["fraction"], settings["seed"])
        best[run] = max(best.get(run, rank), rank)
    return {run: WAYS[-place] for run, (_, place) in best.items()}


def all_runs_of(records: Sequence[Mapping[str, Any]], method: str) -> Chosen:
    """One method for all fractions and seeds that it has finished."""
    runs = {}
    for record in records:
        settings = record["settings"]
        if settings["method"] == method and not record["error"]:
            runs[settings["fraction"], settings["seed"]] = method
    return runs


def reference(chosen: Chosen, fraction: float) -> str | None:
    """The one way that is chosen for all seeds of a fraction, or None where they differ."""
    ways = {way for (of_run, _), way in chosen.items() if of_run == fraction}
    return ways.pop() if len(ways) == 1 else None


def told(chosen: Chosen, fraction: float) -> str:
    """``ridge``, or ``ridge (4 seeds) and independent (1)``."""
    ways = Counter(way for (of_run, _), way in chosen.items() if of_run == fraction)
    if not ways:
        return WAYS[0]
    if len(ways) == 1:
        return next(iter(ways))
    (first, number), *others = ways.most_common()
    rest = [f"{way} ({count})" for way, count in others]
    return listed([f"{first} ({number} seeds)", *rest])


def of_chosen(values: pd.DataFrame, chosen: Chosen) -> pd.DataFrame:
    """Values of the chosen way to learn apart: rows (fraction, seed), a column per task."""
    runs = [(way, fraction, seed) for (fraction, seed), way in chosen.items()]
    rows = values.reindex(runs)
    index = pd.MultiIndex.from_tuples(chosen, names=["fraction", "seed"])
    return pd.DataFrame(
        rows.to_numpy(),
        index=index,
        columns=values.columns,
    ).sort_index()


def resampled_of_chosen(
    resampled: Mapping[tuple[str, float], Mapping[int, Any]], chosen: Chosen
) -> dict[float, dict[int, Mapping[str, Any]]]:
    """Fraction → seed → task → the chosen way's metric under each weighting of the test rows."""
    found: dict[float, dict[int, Mapping[str, Any]]] = {}
    for (fraction, seed), way in chosen.items():
        of_way = resampled.get((way, fraction), {})
        if seed in of_way:
            found.setdefault(fraction, {})[seed] = of_way[seed]
    return found
