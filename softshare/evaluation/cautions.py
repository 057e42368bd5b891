"""What the reader of an answer should know besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from softshare.evaluation.amounts import amount, where
from softshare.evaluation.intervals import MIN_SEEDS
from softshare.evaluation.statistics import ALL, summarise
from softshare.evaluation.words import count, listed
from softshare.tasks.metrics import metric_named

MANY_TASKS = 20
"""From so many tasks on chance alone is expected to show about one as hurt."""

BY_CHANCE = 0.025
"""The fraction of tasks without any difference that an interval of 95 % shows as hurt."""

FEW_TEST_ROWS = 10
"""Of a task with fewer, one row more or less changes the sentence."""

PERFECT = {"rmse": 0.03, "r2": 0.999}
"""Metric → its mean from which numbers are foretold nearly perfectly: to a thirtieth of their
standard deviation. Of classes, easy ones are told right by chance on few rows.
"""


def cautions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the reader of the answer should know: hurt tasks, missing intervals, diverged runs,
    training that ended too soon, and what is too good.
    """
    summary = summarise(records)
    lines = []
    n_seeds = int(summary["n_seeds"].max()) if len(summary) else 0
    if 0 < n_seeds < MIN_SEEDS:
        give = "gives" if n_seeds == 1 else "give"
        lines.append(
            f"{count(n_seeds, 'seed')} {give} a direction, no more; {MIN_SEEDS} give intervals, "
            "five or more narrower ones"
        )
    few = _tasks_of_few_test_rows(records)
    if few:
        lines.append(
            f"{count(len(few), 'task')} with fewer than {FEW_TEST_ROWS} test rows: what is said "
            f"of each is a direction, no more ({_some(few)})"
        )
    diverged = [f"{record['key']} ({record['error']})" for record in records if record["error"]]
    if diverged:
        lines.append(
            f"{len(diverged)} of {len(records)} runs diverged and are left out: {_some(diverged)}"
        )
    stopped = _stopped_while_improving(records)
    if stopped:
        methods = listed(stopped)
        lines.append(
            f"{methods}: in most runs the last step was the best on what was held out; more steps "
            f"may tell otherwise, set steps above {_most_steps(records):,}"
        )
    perfect = _nearly_perfect(summary)
    if perfect and records[0]["settings"].get("inputs") == "vector":
        lines.append(
            f"{listed(perfect)}: nearly perfect; is the target made from columns that are "
            "inputs, or are they known only with it? leave these out (drop)"
        )
    versions = _versions_that_differ(records)
    if versions:
        lines.append(
            f"the runs were made by several versions of {'; of '.join(versions)}; a gain between "
            "them may be the versions', run them anew in one folder"
        )
    hurt = summary[summary["ci_high"] < 0]
    n_tasks = summary["task"].nunique() - 1  # ALL is no task
    for _, rows in hurt.groupby(["method", "fraction"], sort=False):
        lines.append(_hurt(rows, n_tasks=n_tasks))
    return lines


def _tasks_of_few_test_rows(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the tasks that have few test rows in the first record."""
    names = []
    for task in records[0]["data"]["tasks"] if records else ():
        n_test = task.get("n_test", FEW_TEST_ROWS)
        if n_test < FEW_TEST_ROWS:
            names.append(task["name"])
    return names


def _nearly_perfect(summary: pd.DataFrame) -> list[str]:
    """Methods whose mean over the tasks is as good as can be."""
    methods = []
    for _, row in summary[summary["task"] == ALL].iterrows():
        name = str(row["metric"])
        if name not in PERFECT:
            continue
        beyond = row["mean"] - PERFECT[name]
        if metric_named(name).sign * beyond > 0:
            methods.append(str(row["method"]))
    return list(dict.fromkeys(methods))


def _versions_that_differ(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the runs were made with in several versions: ``torch (2.6.0 in 3, 2.7.0 in 2)``."""
    counted: dict[str, Counter[str]] = {}
    for record in records:
        for name, version in record.get("versions", {}).items():
            counted.setdefault(name, Counter())[version] += 1
    told = []
    for name, runs_of in counted.items():
        if len(runs_of) > 1:
            counts = [f"{version} in {n_runs}" for version, n_runs in sorted(runs_of.items())]
            told.append(f"{name} ({', '.join(counts)})")
    return told


def _stopped_while_improving(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Methods in most of whose runs the last of all steps was the best."""
    found: dict[str, list[bool]] = {}
    for record in records:
        if not record["error"]:
            of_method = found.setdefault(record["settings"]["method"], [])
            of_method.append(_is_best_at_end(record))
    methods = []
    for method, at_end in found.items():
        if sum(at_end) > len(at_end) / 2:
            methods.append(method)
    return methods


def _is_best_at_end(record: Mapping[str, Any]) -> bool:
    """Whether a run that made all its steps has its least validation loss at the last one."""
    losses = {}
    for row in record["curve"]:
        if row["validation_loss"] is not None:
            losses[row["step"]] = row["validation_loss"]
    if len(losses) < 2:  # nothing to compare the last one with
        return False
    # a curve that ends before the last step was ended by patience
    last = max(losses)
    best = min(losses, key=losses.__getitem__)
    return bool(best == last == record["settings"]["steps"])


def _most_steps(records: Sequence[Mapping[str, Any]]) -> int:
    return max(int(record["settings"]["steps"]) for record in records)


def _hurt(rows: pd.DataFrame, *, n_tasks: int) -> str:
    """What one method does harm to, at one training fraction."""
    harms = []
    for _, row in rows[rows["task"] == ALL].iterrows():
        harms.append(f"all tasks together, by {amount(row, sign=-1)}")
    named = []
    for _, row in rows[rows["task"] != ALL].sort_values("gain").iterrows():
        named.append(f"{row['task']} ({amount(row)})")
    chance = ""
    if n_tasks >= MANY_TASKS:
        chance = f" (chance alone would show about {BY_CHANCE * n_tasks:.0f})"
    if named:
        harms.append(f"{len(named)} of {n_tasks} tasks{chance}: {_some(named)}")
    return f"{where(rows.iloc[0])} hurts {'; and '.join(harms)}"


def _some(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    told = ", ".join(names[:most])
    hidden = len(names) - most
    return f"{told} and {hidden} more" if hidden > 0 else told
