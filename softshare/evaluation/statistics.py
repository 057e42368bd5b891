"""What run records say: values, gains over independent learning and their intervals.

A *gain* above 0 always means better than independent learning. Gains are paired: a method and
independent learning of one seed have the same split and the same initial weights. The intervals are
t-intervals over the seeds. They say how far the mean gain on this data set is settled when split
and start are drawn anew, not what another data set would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from softshare.tasks.metrics import RELATIVE, metric_named

BASELINE = "independent"
ALL = "ALL"

COLUMNS = (
    "method",
    "fraction",
    "task",
    "metric",
    "mean",
    "std",
    "n_seeds",
    "gain",
    "ci_low",
    "ci_high",
)
NEARLY_ZERO = 1e-12
"""A baseline's value below which a relative gain says nothing."""


def summarise(records: Sequence[Mapping[str, Any]], *, level: float = 0.95) -> pd.DataFrame:
    """One row per method, fraction and task, and one for task ``ALL``: the columns of
    ``summary.csv``.

    ``ALL`` is the mean over tasks where they share a metric; else the mean of relative gains, with
    an empty mean. A value that a run lacks (it diverged, or one class only was in its test part)
    leaves out that seed.

    Args:
        records: of one comparison.
        level: coverage of the intervals.

    Returns:
        Sorted by fraction and method, the baseline first, tasks in their own order. ``gain`` and
        its interval are NaN for the baseline and where it is missing; the interval and ``std`` are
        NaN with fewer than two seeds.
    """
    if not records:
        return pd.DataFrame(columns=list(COLUMNS))
    metrics = metric_of_task(records)
    values = values_of_tasks(records)
    parts = []
    for fraction, method in sorted(
        {(fraction, method) for method, fraction, _ in values.index}, key=_baseline_first
    ):
        own = values.loc[method, fraction]
        base = (
            values.loc[BASELINE, fraction]
            if (BASELINE, fraction) in values.index and method != BASELINE
            else own.iloc[:0]
        )
        parts.append(_rows(own, base, metrics, level).assign(method=method, fraction=fraction))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def leaderboard(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per method and fraction: its ``ALL`` row, ``parameters``, tasks ``helped`` and
    ``hurt``, ``seconds`` a run.

    A task is helped where the interval of its gain lies above 0, hurt where it lies below.
    """
    summary = summarise(records)
    overall = summary[summary["task"] == ALL].drop(columns="task").set_index(["method", "fraction"])
    tasks = summary[summary["task"] != ALL]
    by_run = [tasks["method"], tasks["fraction"]]
    costs = pd.DataFrame(
        [
            _run(record) | {name: record[name] for name in ("parameters", "seconds")}
            for record in records
        ]
    )
    costs = (
        costs.astype({"parameters": float})
        .groupby(["method", "fraction"])[["parameters", "seconds"]]
        .mean()
    )
    return overall.assign(
        parameters=costs["parameters"].round(),
        helped=(tasks["ci_low"] > 0).groupby(by_run).sum(),
        hurt=(tasks["ci_high"] < 0).groupby(by_run).sum(),
        seconds=costs["seconds"],
    ).reset_index()


def metric_of_task(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The metric by which each task is compared, in the order of the tasks."""
    return {task["name"]: task["metric"] for record in records for task in record["data"]["tasks"]}


def values_of_tasks(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Each task's metric on the test part: rows (method, fraction, seed), a column per task; NaN
    where a run has none.
    """
    metrics = metric_of_task(records)
    rows = [
        [
            record["metrics"].get("test", {}).get(task, {}).get(metric)
            for task, metric in metrics.items()
        ]
        for record in records
    ]
    index = pd.MultiIndex.from_frame(pd.DataFrame([_run(record) for record in records]))
    return pd.DataFrame(
        np.array(rows, dtype=float), index=index, columns=list(metrics)
    ).sort_index()


def mean_interval(gains: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Mean of every column with its t-interval over the rows, NaN left out.

    Returns:
        A row per column: ``gain``, ``ci_low``, ``ci_high``; the interval is NaN with fewer than two
            values.
    """
    n = gains.count()
    mean = gains.mean()
    half = stats.t.ppf((1 + level) / 2, n.clip(lower=2) - 1) * gains.std() / np.sqrt(n)
    return pd.DataFrame({"gain": mean, "ci_low": mean - half, "ci_high": mean + half})


def _rows(
    own: pd.DataFrame, base: pd.DataFrame, metrics: Mapping[str, str], level: float
) -> pd.DataFrame:
    """The rows of one method and fraction from its values and the baseline's, both ``(seeds,
    tasks)``.
    """
    signs = np.array([metric_named(metric).sign for metric in metrics.values()])
    gains = (own - base).dropna(how="all") * signs
    common = len(set(metrics.values())) == 1
    scale = 1 if common else base.abs().where(base.abs() > NEARLY_ZERO)
    own = own.assign(**{ALL: own.mean(axis=1) if common else np.nan})
    gains = gains.assign(**{ALL: (gains / scale).mean(axis=1)})
    rows = pd.DataFrame({"mean": own.mean(), "std": own.std(), "n_seeds": own.count()})
    rows.loc[ALL, "n_seeds"] = own.drop(columns=ALL).notna().any(axis=1).sum()
    rows["metric"] = [*metrics.values(), next(iter(metrics.values())) if common else RELATIVE]
    return rows.join(mean_interval(gains, level=level)).rename_axis("task").reset_index()


def _run(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record["settings"][name] for name in ("method", "fraction", "seed")}


def _baseline_first(run: tuple[float, str]) -> tuple[float, bool, str]:
    fraction, method = run
    return fraction, method != BASELINE, method
