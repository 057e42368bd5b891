"""The sentence that answers the question, and what its reader should know besides."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from softshare.evaluation.intervals import MIN_SEEDS, MOST_SEEDS, seeds_to_decide
from softshare.evaluation.statistics import (
    ALL,
    BASELINE,
    HELPED,
    HURT,
    estimates,
    standings,
    summarise,
)
from softshare.evaluation.words import count
from softshare.tasks.metrics import RELATIVE, Metric, metric_named

MANY_TASKS = 20
"""From so many tasks on chance alone is expected to show about one as hurt."""

FEW_TEST_ROWS = 10
"""Of a task with fewer, one row more or less changes the sentence."""

_SEEDS = {1: "One seed shows", 2: "Two seeds show"}


def answer(records: Sequence[Mapping[str, Any]]) -> str:
    """One sentence: whether learning together beats learning apart, by how much and with which
    method.

    It speaks of the largest training fraction, and of the method that stands first there in the
    report's table (:func:`softshare.evaluation.statistics.standings`). All intervals that it could
    have given hold at once with 95 % confidence.
    """
    finished = [record for record in records if not record["error"]]
    if BASELINE not in {record["settings"]["method"] for record in finished}:
        return f"No gain can be told: {BASELINE} learning has no finished run."
    stands = standings(estimates(records))
    if stands.empty:
        return (
            "Nothing to compare: no other method has a finished run beside independent learning's."
        )
    here = stands[stands["fraction"] == stands["fraction"].max()]
    first = here.iloc[0]
    if math.isnan(first["ci_low"]):
        return _direction(first)
    covered = _covered(records, first)
    if first["verdict"] == HELPED:
        return (
            f"Learning together beats learning apart by {_amount(first)} with {_where(first)} "
            f"({covered})."
        )
    if first["verdict"] == HURT:
        return (
            f"Sharing hurts: {_best(first)} loses {_amount(first, sign=-1)} against learning apart "
            f"({covered})."
        )
    return (
        f"No difference shown: {_best(first)} {_change(first)} ({covered}); {_more_seeds(first)}."
    )


def cautions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the reader of the answer should know: hurt tasks, missing intervals, diverged runs."""
    summary = summarise(records)
    lines = []
    n_seeds = int(summary["n_seeds"].max()) if len(summary) else 0
    if 0 < n_seeds < MIN_SEEDS:
        lines.append(
            f"{count(n_seeds, 'seed')} {'gives' if n_seeds == 1 else 'give'} a direction, no "
            f"more; {MIN_SEEDS} give intervals, five or more narrower ones"
        )
    if few := _tasks_of_few_test_rows(records):
        lines.append(
            f"{count(len(few), 'task')} with fewer than {FEW_TEST_ROWS} test rows: what is said "
            f"of each is a direction, no more ({_some(few)})"
        )
    diverged = [f"{record['key']} ({record['error']})" for record in records if record["error"]]
    if diverged:
        lines.append(
            f"{len(diverged)} of {len(records)} runs diverged and are left out: {_some(diverged)}"
        )
    for _, rows in summary[summary["ci_high"] < 0].groupby(["method", "fraction"], sort=False):
        lines.append(_hurt(rows, n_tasks=summary["task"].nunique() - 1))
    return lines


def _direction(row: pd.Series) -> str:
    """The sentence where there is no interval."""
    n_seeds = int(row["n_pairs"])
    opening = _SEEDS.get(n_seeds, "Seeds that gave the same show")
    told = f"{opening} a direction, no more: {_where(row)} {_change(row)}"
    more = _more_seeds(row) if n_seeds > 1 and row["variance"] > 0 else "five seeds tell more"
    return f"{told}; {more}."


def _covered(records: Sequence[Mapping[str, Any]], row: pd.Series) -> str:
    """What the interval of a row covers."""
    n_seeds = int(row["n_pairs"])
    given = any(record["data"].get("test_part") == "given" for record in records)
    if row["rows_variance"] > 0:
        over = f"over the given test rows and {n_seeds} starts"
    elif given:
        over = f"over {n_seeds} starts alone: other test rows than the given may tell otherwise"
    else:
        over = f"over {n_seeds} splits and starts"
    compared = int(row["compared"])
    choice = f", adjusted for the choice among {compared}" if compared > 1 else ""
    return f"95 % interval {over}{choice}"


def _change(row: pd.Series) -> str:
    """``gains 3.1 points of ROC-AUC [1.2, 5.0] over learning apart``, or loses."""
    # a gain that is written as zero is none, whatever its sign
    if row["gain"] < 0 and re.search("[1-9]", _amount(row).split(" ")[0]):
        return f"loses {_amount(row, sign=-1)} against learning apart"
    return f"gains {_amount(row)} over learning apart"


def _more_seeds(row: pd.Series) -> str:
    """How many seeds would decide."""
    needed = seeds_to_decide(row["gain"], row["variance"], row["rows_variance"], level=row["level"])
    if needed is not None:
        return f"if it stays so, about {needed:,} seeds in all would decide"
    if row["rows_variance"] > 0:
        return "no number of seeds would decide, more test rows might"
    return f"even {MOST_SEEDS:,} seeds would not decide a difference so small"


def _tasks_of_few_test_rows(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the tasks that have few test rows in the first record."""
    tasks = records[0]["data"]["tasks"] if records else ()
    return [task["name"] for task in tasks if task.get("n_test", FEW_TEST_ROWS) < FEW_TEST_ROWS]


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


def _best(row: pd.Series) -> str:
    compared = int(row["compared"])
    return f"the best of {compared}, {_where(row)}," if compared > 1 else _where(row)


def _where(row: pd.Series) -> str:
    if row["fraction"] == 1:
        return str(row["method"])
    return f"{row['method']} at {100 * row['fraction']:.4g} % of the training data"


def _amount(row: pd.Series, *, sign: int = 1) -> str:
    """``3.1 points of ROC-AUC [1.2, 5.0]``: the gain (with ``sign=-1`` the loss) in the metric's
    unit.
    """
    metric = metric_named(row["metric"])
    in_hundredths = metric.points or metric.name == RELATIVE
    scale = 100 * sign if in_hundredths else sign
    unit = _unit(metric)
    gain = scale * row["gain"]
    if math.isnan(row["ci_low"]):
        digits = _digits([gain])
        return f"{_number(gain, digits)}{unit}"
    # a loss has the ends of the gain's interval, turned round
    low, high = sorted([scale * row["ci_low"], scale * row["ci_high"]])
    digits = _digits([low, high])
    interval = f"[{_number(low, digits)}, {_number(high, digits)}]"
    return f"{_number(gain, digits)}{unit} {interval}"


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
    # the place of the first digit after the point: 1 for 0.3, 0 for 3, -1 for 30
    of_largest = -math.floor(math.log10(max(sizes)))
    of_smallest = -math.floor(math.log10(min(sizes)))
    fit = max(1, of_largest + 1)
    wanted = min(of_smallest, fit + 2)
    return min(6, max(fit, wanted))


def _number(value: float, digits: int) -> str:
    rounded = round(value, digits) + 0.0  # no minus before a zero
    return f"{rounded:.{digits}f}".replace("-", "−")


def _some(names: Sequence[str], most: int = 3) -> str:
    told = ", ".join(names[:most])
    return f"{told} and {len(names) - most} more" if len(names) > most else told
