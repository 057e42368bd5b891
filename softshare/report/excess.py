"""How alike a method makes the tasks, beyond what a common start and the data alone make of them.

Networks that start from the same weights end alike, whether they share or not: weights hardly move
from where they began. What a method's sharing did is the difference from independent learning with
the same seed, which has the same start and the same data, and only where the seeds agree on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from softshare.evaluation.intervals import half_widths, moderated
from softshare.evaluation.statistics import BASELINE
from softshare.report.findings import Findings

MEASURES = ("rho", "cosine")


@dataclass(frozen=True)
class PairExcess:
    """By how much more than the mean pair a method makes two tasks alike.

    Args:
        values: the mean over seeds, ``(T, T)``, 0 on the diagonal, NaN for a pair without one.
        half: half the width of each interval; those of all pairs hold at once with 95 %.
    """

    values: np.ndarray
    half: np.ndarray

    @property
    def is_shown(self) -> np.ndarray:
        """Which pairs lie apart from the mean one, beyond chance, ``(T, T)``."""
        return np.abs(self.values) > self.half


def excess_by_layer(findings: Findings) -> pd.DataFrame:
    """Sharing strength and cosine of every method's layers beyond independent learning's.

    Returns:
        A row per method, layer and measure that has an interval: ``method``, ``layer``,
        ``measure``, ``excess``, ``ci_low``, ``ci_high``, over the seeds that both have.
    """
    values = _values_by_layer(findings)
    if values.empty:
        return pd.DataFrame(columns=["method", "layer", "measure", "excess", "ci_low", "ci_high"])
    is_apart = values["method"] == BASELINE
    apart = values[is_apart].drop(columns="method")
    paired = values[~is_apart].merge(
        apart,
        on=["layer", "measure", "seed"],
        suffixes=("", "_apart"),
    )
    paired["excess"] = paired["value"] - paired["value_apart"]
    grouped = paired.groupby(["method", "layer", "measure"], sort=False)["excess"]
    rows = grouped.agg(excess="mean", variance="var", n_seeds="count").reset_index()
    n_seeds = rows["n_seeds"].to_numpy()
    none = np.zeros(len(rows))
    half = half_widths(
        rows["variance"].fillna(0.0).to_numpy(),
        n_seeds - 1.0,
        n_seeds,
        rows=none,
        rows_df=none,
        level=0.95,
    )
    told = rows.assign(ci_low=rows["excess"] - half, ci_high=rows["excess"] + half)
    return told.dropna(subset="ci_low").drop(columns=["variance", "n_seeds"])


def excess_of_pairs(findings: Findings, method: str) -> PairExcess | None:
    """How the pairs of tasks differ in what a method adds to their likeness; None where too few
    seeds have the similarity of both.
    """
    excess = _paired_similarities(findings, method)
    if excess is None:
        return None
    n_seeds, n_tasks, _ = excess.shape
    first, second = np.triu_indices(n_tasks, k=1)
    of_pairs = excess[:, first, second]  # (S, pairs)
    known = np.isfinite(of_pairs).all(axis=0)
    if n_seeds < 2 or not known.any():
        return None
    own = of_pairs[:, known]
    own = own - own.mean(axis=1, keepdims=True)  # what a seed adds to all pairs is no difference
    # Of thousands of pairs each has three or five seeds: their variances are drawn together.
    n_pairs = own.shape[1]
    of_each = own.var(axis=0, ddof=1)
    variances, df = moderated(of_each, np.full(n_pairs, n_seeds - 1.0))
    none = np.zeros(n_pairs)
    half = half_widths(
        variances,
        df,
        np.full(n_pairs, n_seeds),
        rows=none,
        rows_df=none,
        level=1 - 0.05 / n_pairs,
    )
    places = first[known], second[known]
    return PairExcess(
        values=_symmetric(own.mean(axis=0), places, n_tasks),
        half=_symmetric(half, places, n_tasks),
    )


def _values_by_layer(findings: Findings) -> pd.DataFrame:
    """``method``, ``seed``, ``layer``, ``measure``, ``value`` of all runs shown in detail."""
    rows = []
    for record in findings.runs():
        settings = record["settings"]
        for layer, described in record["sharing"]["layers"].items():
            for measure in MEASURES:
                value = described.get(measure)
                if value is not None:
                    run = (settings["method"], settings["seed"])
                    rows.append((*run, layer, measure, float(value)))
    return pd.DataFrame(rows, columns=["method", "seed", "layer", "measure", "value"])


def _paired_similarities(findings: Findings, method: str) -> np.ndarray | None:
    """A method's similarities less independent learning's of the same seed, ``(S, T, T)``."""
    apart = {}
    for record in findings.runs(BASELINE):
        seed = record["settings"]["seed"]
        apart[seed] = record["sharing"]["similarity"]
    differences = []
    for record in findings.runs(method):
        own = record["sharing"]["similarity"]
        base = apart.get(record["settings"]["seed"])
        if own and base:
            # null, for a pair without one, becomes NaN
            difference = np.array(own, dtype=float) - np.array(base, dtype=float)
            differences.append(difference)
    return np.array(differences) if differences else None


def _symmetric(
    values: np.ndarray, places: tuple[np.ndarray, np.ndarray], n_tasks: int
) -> np.ndarray:
    matrix = np.full((n_tasks, n_tasks), np.nan)
    np.fill_diagonal(matrix, 0.0)
    matrix[places] = values
    matrix[places[::-1]] = values
    return matrix
