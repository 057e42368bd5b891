"""The sentence that answers the question, and what its reader should know besides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softshare.evaluation.statistics import ALL, BASELINE, summarise
from softshare.tasks.metrics import RELATIVE, Metric, metric_named

MANY_TASKS = 20
"""From so many tasks on chance alone is expected to show about one as hurt."""


def answer(records: Sequence[Mapping[str, Any]]) -> str:
    """One sentence: whether learning together beats learning apart, by how much and with which
    method.

    The best of several methods gains something by being chosen. So all intervals in the sentence
    hold at once with 95 % confidence (Bonferroni over the methods and training fractions compared).
    """
    runs = {
        (record["settings"]["method"], record["settings"]["fraction"])
        for record in records
        if not record["error"]
    }
    if BASELINE not in {method for method, _ in runs}:
        return f"No gain can be told: {BASELINE} learning has no finished run."
    compared = sum(method != BASELINE for method, _ in runs)
    adjusted = _overall(records, level=1 - 0.05 / max(1, compared))
    if adjusted["gain"].isna().all():
        return (
            "Nothing to compare: no other method has a finished run beside independent learning's."
        )
    best = _largest(adjusted["gain"], adjusted)
    if adjusted["ci_low"].isna().all():
        return (
            f"One seed shows no more than a direction: {_best(best, compared)} gains "
            f"{_amount(best)} over learning apart."
        )
    how = (
        f"95 % interval, adjusted for the choice among {compared}"
        if compared > 1
        else "95 % interval"
    )
    if (adjusted["ci_low"] > 0).any():
        chosen = _largest(adjusted["gain"].where(adjusted["ci_low"] > 0), adjusted)
        return (
            f"Learning together beats learning apart by {_amount(chosen)} with "
            f"{_where(chosen)} ({how})."
        )
    if (adjusted["ci_high"] < 0).all():
        return (
            f"Sharing hurts: {_best(best, compared)} loses {_amount(best, sign=-1)} against "
            f"learning apart ({how})."
        )
    return (
        f"No difference shown: {_best(best, compared)} gains {_amount(best)} over learning "
        f"apart ({how})."
    )


def cautions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the reader of the answer should know: hurt tasks, missing intervals, runs that diverged."""
    summary = summarise(records)
    lines = []
    if records and not (summary["n_seeds"] > 1).any():
        lines.append("one seed gives no intervals; five or more seeds do")
    if diverged := [
        f"{record['key']} ({record['error']})" for record in records if record["error"]
    ]:
        lines.append(
            f"{len(diverged)} of {len(records)} runs diverged and are left out: {_some(diverged)}"
        )
    for _, rows in summary[summary["ci_high"] < 0].groupby(["method", "fraction"], sort=False):
        lines.append(_hurt(rows, n_tasks=summary["task"].nunique() - 1))
    return lines


def _hurt(rows: pd.DataFrame, *, n_tasks: int) -> str:
    """What one method does harm to, at one training fraction."""
    worst = rows[rows["task"] != ALL].sort_values("gain")
    named = [f"{row['task']} ({_amount(row)})" for _, row in worst.iterrows()]
    chance = (
        f" (chance alone would show about {0.025 * n_tasks:.0f})" if n_tasks >= MANY_TASKS else ""
    )
    harms = [
        f"all tasks together, by {_amount(row, sign=-1)}"
        for _, row in rows[rows["task"] == ALL].iterrows()
    ]
    harms += [f"{len(named)} of {n_tasks} tasks{chance}: {_some(named)}"] if named else []
    return f"{_where(rows.iloc[0])} hurts {'; and '.join(harms)}"


def _overall(records: Sequence[Mapping[str, Any]], *, level: float) -> pd.DataFrame:
    """The rows ALL of all methods but the baseline."""
    summary = summarise(records, level=level)
    rows = summary[(summary["task"] == ALL) & (summary["method"] != BASELINE)]
    return rows.reset_index(drop=True)


def _largest(values: pd.Series, rows: pd.DataFrame) -> pd.Series:
    return rows.iloc[int(np.nanargmax(values.to_numpy()))]


def _best(row: pd.Series, compared: int) -> str:
    return f"the best of {compared}, {_where(row)}," if compared > 1 else _where(row)


def _where(row: pd.Series) -> str:
    share = (
        "" if row["fraction"] == 1 else f" at {100 * row['fraction']:.4g} % of the training data"
    )
    return f"{row['method']}{share}"


def _amount(row: pd.Series, *, sign: int = 1) -> str:
    """``3.1 points of ROC-AUC [1.2, 5.0]``: the gain (with ``sign=-1`` the loss) in the metric's
    unit.
    """
    metric = metric_named(row["metric"])
    in_hundredths = metric.points or metric.name == RELATIVE
    scale = 100 * sign if in_hundredths else sign
    unit = _unit(metric)
    gain, low, high = (scale * row[name] for name in ("gain", "ci_low", "ci_high"))
    ends = sorted(end for end in (low, high) if math.isfinite(end))
    digits = _digits(ends or [gain])
    interval = f" [{', '.join(_number(end, digits) for end in ends)}]" if ends else ""
    return f"{_number(gain, digits)}{unit}{interval}"


def _unit(metric: Metric) -> str:
    """In what a gain is told: `` points of ROC-AUC``."""
    if metric.name == RELATIVE:
        return " %"
    in_unit = f" in {metric.unit}" if metric.unit else ""
    return f"{' points' if metric.points else ''} of {metric.title}{in_unit}"


def _digits(values: Sequence[float]) -> int:
    """Decimals, one at least, that show the largest value with two digits, and up to two more where
    the smallest needs them.
    """
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 1
    fit = max(1, 1 - math.floor(math.log10(max(sizes))))
    return min(6, max(fit, min(fit + 2, -math.floor(math.log10(min(sizes))))))


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}".replace(
        "-", "−"
    )  # + 0.0: no minus before a zero


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
