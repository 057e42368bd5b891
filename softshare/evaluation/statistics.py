"""What run records say: values, gains over learning apart and their intervals.

A *gain* above 0 always means better than learning apart, by the way to do so that rows held out of
the training part have chosen (:mod:`softshare.evaluation.apart`). Gains are paired: a method and
learning apart of one seed have the same split, and networks the same initial weights.

What the intervals cover:

* Where every seed draws its own split, they are t-intervals over the seeds: how far the mean gain
  on this data set is settled when split and start are drawn anew, not what another data set would
  give.
* Where the test part is given, seeds share its rows. The intervals then cover the starts and the
  test rows together (:mod:`softshare.evaluation.resampling`): what other rows of the same kind
  would have given.

One task's few seeds tell little of its own scatter. So the variances of all tasks are drawn towards
what they have in common (:func:`softshare.evaluation.intervals.moderated`); that of the mean over
tasks is its own. Fewer than three seeds give no interval, and neither do seeds that all gave the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softshare.evaluation.apart import (
    WAYS,
    all_runs_of,
    chosen_ways,
    of_chosen,
    reference,
    resampled_of_chosen,
)
from softshare.evaluation.intervals import half_widths, moderated
from softshare.tasks.metrics import RELATIVE, metric_named

BASELINE = WAYS[0]
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

HELPED, UNDECIDED, HURT = "helped", "undecided", "hurt"

Resampled = Mapping[int, Mapping[str, Mapping[str, Any]]]
"""Seed → task → its metric under each weighting of the test rows."""


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
        its interval are NaN for the baseline and where it is missing; the interval is NaN with
        fewer than three seeds, ``std`` with fewer than two.
    """
    return with_intervals(estimates(records), level=level)[list(COLUMNS)]


def gain_over(records: Sequence[Mapping[str, Any]], other: str, row: pd.Series) -> pd.Series | None:
    """What the method of a row gains over another one, with its own interval of 95 %.

    Args:
        records: of one comparison.
        other: a method.
        row: of a method at a fraction, of all tasks.

    Returns:
        The row ``ALL``, or None where the other has no run beside the method's.
    """
    method, fraction = row["method"], row["fraction"]
    both = []
    for record in records:
        settings = record["settings"]
        if settings["fraction"] == fraction and settings["method"] in (method, other):
            both.append(record)
    if method == other or len({record["settings"]["method"] for record in both}) < 2:
        return None
    told = with_intervals(estimates(both, apart=other), level=0.95)
    is_asked = (told["task"] == ALL) & (told["method"] == method)
    found = told[is_asked].dropna(subset="gain")
    return found.iloc[0] if len(found) else None


def estimates(records: Sequence[Mapping[str, Any]], *, apart: str | None = None) -> pd.DataFrame:
    """The rows of :func:`summarise` without intervals, and what these are made of.

    Args:
        records: of one comparison.
        apart: the method that others are compared with, instead of the chosen way to learn apart.

    Returns:
        Besides the columns of the summary ``n_pairs`` (seeds behind the gain), ``variance`` and
        ``df`` of a gain over seeds, ``rows_variance`` and ``rows_df`` of the mean gain over test
        rows (0 where every seed draws its own).
    """
    if not records:
        return pd.DataFrame(columns=[*COLUMNS, "n_pairs", "variance", "rows_variance"])
    metrics = metric_of_task(records)
    values = values_of_tasks(records)
    resampled = resampled_of_runs(records)
    chosen = chosen_ways(records) if apart is None else all_runs_of(records, apart)
    values_of_reference = of_chosen(values, chosen)
    resampled_reference = resampled_of_chosen(resampled, chosen)
    runs = {(fraction, method) for method, fraction, _ in values.index}
    in_order = sorted(runs, key=_baseline_first)
    parts = []
    for fraction, method in in_order:
        own = values.loc[method, fraction]
        base = own.iloc[:0]  # no gain: the reference itself, or a method without one beside it
        if method != reference(chosen, fraction) and fraction in values_of_reference.index:
            base = values_of_reference.loc[fraction]
        over_seeds = _of_method(own, base, metrics)
        over_rows = _over_test_rows(
            resampled.get((method, fraction), {}),
            resampled_reference.get(fraction, {}),
            _factors(base, metrics),
        )
        rows = over_seeds.join(over_rows)
        parts.append(rows.assign(method=method, fraction=fraction))
    together = pd.concat(parts)
    together = together.rename_axis("task").reset_index()
    return together.fillna({"rows_df": 0.0})


def with_intervals(rows: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Estimates with the columns ``ci_low`` and ``ci_high``."""
    if rows.empty:
        return rows
    half = half_widths(
        rows["variance"].to_numpy(),
        rows["df"].to_numpy(),
        rows["n_pairs"].to_numpy(),
        rows=rows["rows_variance"].to_numpy(),
        rows_df=rows["rows_df"].to_numpy(),
        level=level,
    )
    return rows.assign(
        ci_low=rows["gain"] - half,
        ci_high=rows["gain"] + half,
    )


def standings(rows: pd.DataFrame) -> pd.DataFrame:
    """How the methods that learn together stand against learning apart, the best first.

    The best of several methods gains something by being chosen. So all intervals at one fraction
    hold at once with 95 % confidence (Bonferroni). Methods that these show to help stand before
    those of which nothing is shown, and those before harm; within each, the greater gain first.

    Args:
        rows: of :func:`estimates`.

    Returns:
        The rows ``ALL`` of all methods that learn together and have a gain, with ``ci_low``,
        ``ci_high``, ``compared`` (how many methods), ``level`` and ``verdict``.
    """
    is_overall = rows["task"] == ALL
    is_apart = rows["method"].isin(WAYS)
    overall = rows[is_overall & ~is_apart].dropna(subset="gain")
    parts = []
    for _, here in overall.groupby("fraction", sort=True):
        n_compared = len(here)
        level = 1 - 0.05 / n_compared  # Bonferroni
        told = with_intervals(here, level=level)
        told = told.assign(
            compared=n_compared,
            level=level,
            verdict=verdicts(told),
        )
        parts.append(told)
    if not parts:
        return overall.assign(
            ci_low=np.nan,
            ci_high=np.nan,
            verdict=UNDECIDED,
        )
    order = {HELPED: 0, UNDECIDED: 1, HURT: 2}
    together = pd.concat(parts)
    ranked = together.assign(
        place=together["verdict"].map(order),
        loss=-together["gain"],
    )
    ranked = ranked.sort_values(
        ["fraction", "place", "loss"],
        kind="stable",
        ignore_index=True,
    )
    return ranked.drop(columns=["place", "loss"])


def verdicts(rows: pd.DataFrame) -> pd.Series:
    """``helped``, ``hurt`` or ``undecided``: on which side of 0 the whole interval lies.

    Args:
        rows: with the columns ``ci_low`` and ``ci_high``; without an interval a row is undecided.
    """
    is_above = rows["ci_low"] > 0
    is_below = rows["ci_high"] < 0
    chosen = np.select(
        [is_above, is_below],
        [HELPED, HURT],
        UNDECIDED,
    )
    return pd.Series(chosen, index=rows.index)


def leaderboard(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per method and fraction: its ``ALL`` row, ``parameters``, tasks ``helped`` and
    ``hurt``, ``seconds`` a run.

    A task is helped where the interval of its gain lies above 0, hurt where it lies below. At each
    fraction the methods stand in the order of :func:`standings`, the baseline last.
    """
    summary = summarise(records)
    is_overall = summary["task"] == ALL
    tasks = summary[~is_overall]
    overall = summary[is_overall].drop(columns="task")
    overall = overall.set_index(["method", "fraction"])
    by_run = [tasks["method"], tasks["fraction"]]
    is_helped = tasks["ci_low"] > 0
    is_hurt = tasks["ci_high"] < 0
    costs_of_runs = []
    for record in records:
        cost = {
            "parameters": record["parameters"],
            "seconds": record["seconds"],
        }
        costs_of_runs.append(_run(record) | cost)
    # what has no parameters to count has none here: NaN
    table = pd.DataFrame(costs_of_runs).astype({"parameters": float})
    grouped = table.groupby(["method", "fraction"])
    costs = grouped[["parameters", "seconds"]].mean()
    board = overall.assign(
        parameters=costs["parameters"].round(),
        helped=is_helped.groupby(by_run).sum(),
        hurt=is_hurt.groupby(by_run).sum(),
        seconds=costs["seconds"],
    )
    ranked = standings(estimates(records))[["method", "fraction"]].apply(tuple, axis="columns")
    place = {run: number for number, run in enumerate(ranked)}
    board = board.reset_index()
    runs = zip(board["method"], board["fraction"], strict=True)
    places = [place.get(run, len(place)) for run in runs]
    ordered = board.assign(place=places).sort_values(["fraction", "place"], kind="stable")
    return ordered.drop(columns="place").reset_index(drop=True)


def metric_of_task(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The metric by which each task is compared, in the order of the tasks."""
    metrics = {}
    for record in records:
        for task in record["data"]["tasks"]:
            metrics[task["name"]] = task["metric"]
    return metrics


def values_of_tasks(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Each task's metric on the test part: rows (method, fraction, seed), a column per task; NaN
    where a run has none.
    """
    metrics = metric_of_task(records)
    rows = []
    for record in records:
        by_task = record["metrics"].get("test", {})  # none of a run that diverged
        row = []
        for task, metric in metrics.items():
            of_task = by_task.get(task, {})
            row.append(of_task.get(metric))
        rows.append(row)
    runs = pd.DataFrame([_run(record) for record in records])
    values = pd.DataFrame(
        np.array(rows, dtype=float),
        index=pd.MultiIndex.from_frame(runs),
        columns=list(metrics),
    )
    return values.sort_index()


def values_apart(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What the chosen way to learn apart reaches.

    Returns:
        A row per fraction and task: ``fraction``, ``task``, ``mean`` and ``std`` over the seeds.
    """
    apart = of_chosen(values_of_tasks(records), chosen_ways(records))
    of_seeds = apart.rename_axis("task", axis="columns").stack(future_stack=True)
    grouped = of_seeds.groupby(level=["fraction", "task"], sort=False)
    return grouped.agg(["mean", "std"]).reset_index()


def resampled_of_runs(
    records: Sequence[Mapping[str, Any]],
) -> dict[tuple[str, float], dict[int, Mapping[str, Any]]]:
    """(Method, fraction) → seed → task → its metric under each weighting of the test rows; empty
    where every seed draws its own test part.
    """
    found: dict[tuple[str, float], dict[int, Mapping[str, Any]]] = {}
    for record in records:
        if record.get("resampled"):
            run = _run(record)
            key = (run["method"], run["fraction"])
            of_method = found.setdefault(key, {})
            of_method[run["seed"]] = record["resampled"]
    return found


def _of_method(
    own: pd.DataFrame,
    base: pd.DataFrame,
    metrics: Mapping[str, str],
) -> pd.DataFrame:
    """What the seeds say of one method and fraction, from its values and the baseline's, both
    ``(seeds, tasks)``.
    """
    tasks = list(metrics)
    kinds = list(metrics.values())
    common = len(set(kinds)) == 1
    signs = np.array([metric_named(metric).sign for metric in kinds])
    # (seeds, T): a seed that one of the two lacks is no pair
    differences = own - base
    gains = differences.dropna(how="all") * signs
    in_mean = gains
    if not common:
        size = base.abs()
        in_mean = gains / size.where(size > NEARLY_ZERO)
    has_any = own.notna().any(axis=1)
    value_of_all = own.mean(axis=1) if common else np.nan
    own = own.assign(**{ALL: value_of_all})
    gain_of_all = in_mean.mean(axis=1)
    gains = gains.assign(**{ALL: gain_of_all})

    rows = pd.DataFrame(
        {
            "mean": own.mean(),
            "std": own.std(),
            "n_seeds": own.count(),
        }
    )
    rows.loc[ALL, "n_seeds"] = has_any.sum()
    rows["metric"] = [*kinds, kinds[0] if common else RELATIVE]
    rows["gain"] = gains.mean()
    rows["n_pairs"] = gains.count()
    rows["variance"] = gains.var().fillna(0.0)
    rows["df"] = (rows["n_pairs"] - 1.0).clip(lower=0.0)
    # The mean over tasks keeps its own: what tasks of one seed have in common is in it alone.
    variances, df = moderated(
        rows.loc[tasks, "variance"].to_numpy(),
        rows.loc[tasks, "df"].to_numpy(),
    )
    rows.loc[tasks, "variance"] = variances
    rows.loc[tasks, "df"] = df
    return rows


def _factors(base: pd.DataFrame, metrics: Mapping[str, str]) -> pd.Series:
    """By what a difference of each task's metric is multiplied in the mean over tasks."""
    signs = [float(metric_named(metric).sign) for metric in metrics.values()]
    factors = pd.Series(signs, index=list(metrics))
    if len(set(metrics.values())) > 1:
        size = base.abs().mean()
        factors = factors / size.where(size > NEARLY_ZERO)
    return factors


def _over_test_rows(
    own: Resampled,
    base: Resampled,
    factors: pd.Series,
) -> pd.DataFrame:
    """Variance over test rows of each task's mean gain and of ``ALL``, with degrees of freedom;
    zeros where the test part is drawn anew for every seed.
    """
    index = [*factors.index, ALL]
    seeds = sorted(set(own) & set(base))
    if not seeds:
        return pd.DataFrame({"rows_variance": 0.0, "rows_df": 0.0}, index=index)
    rows = pd.DataFrame({"rows_variance": np.nan, "rows_df": 0.0}, index=index)
    parts_of_all = []
    for task in factors.index:
        paired = [seed for seed in seeds if task in own[seed] and task in base[seed]]
        if not paired:
            continue  # other rows might change anything: no interval
        differences = []
        for seed in paired:
            shared = own[seed][task]["values"]  # (weightings,)
            apart = base[seed][task]["values"]
            differences.append(np.subtract(shared, apart))
        of_task = np.mean(differences, axis=0)  # (weightings,): the seeds' mean under each
        n_units = own[paired[0]][task]["units"]
        df = min(n_units, len(of_task)) - 1
        rows.loc[task] = [of_task.var(ddof=1), df]  # whatever its sign
        parts_of_all.append(factors[task] * of_task)
    if parts_of_all:
        mean_over_tasks = np.nanmean(parts_of_all, axis=0)
        df = min(rows["rows_df"].sum(), len(mean_over_tasks) - 1)
        rows.loc[ALL] = [mean_over_tasks.var(ddof=1), df]
    return rows


def _run(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record["settings"][name] for name in ("method", "fraction", "seed")}


def _baseline_first(run: tuple[float, str]) -> tuple[float, bool, str]:
    fraction, method = run
    return fraction, method != BASELINE, method
