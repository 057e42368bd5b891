"""The report's tables: rows of finished text, ready for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from softshare.evaluation.apart import WAYS
from softshare.evaluation.statistics import ALL, BASELINE, verdicts
from softshare.evaluation.words import duration
from softshare.methods.settings import DROPOUT, LEARNING_RATE, WEIGHT_DECAY
from softshare.report.excess import MEASURES, excess_by_layer
from softshare.report.findings import Findings
from softshare.report.words import NONE, Scale, per_cent
from softshare.tasks.metrics import metric_named

MOST_ROWS = 60
"""So many tasks have a row each; of more, only those at the ends."""


@dataclass(frozen=True)
class Cell:
    """Text, and the class that says what it stands for (``helped``, ``hurt``, ``number``)."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """Column heads and rows; the first cell of a row is its head."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def board(findings: Findings, fraction: float) -> Table:
    """The leaderboard of one fraction: how good, how much better than apart, at what cost."""
    rows = findings.board[findings.board["fraction"] == fraction]
    is_baseline = rows["method"] == BASELINE
    apart = rows.loc[is_baseline, "parameters"].max()
    joint = joint_metrics(findings, fraction)
    metric = metric_named(rows["metric"].iloc[0]).title
    scored = [] if findings.mixed else [metric]
    gain = "relative gain" if findings.mixed else "gain"
    heads = [
        "method",
        f"{gain} [95 % interval]",
        *scored,
        "helped",
        "hurt",
        "parameters",
        *joint,
        "time a run",
    ]
    lines = []
    for _, row in rows.iterrows():
        lines.append(_method(row, findings, apart, joint))
    return Table(heads, lines)


def _method(
    row: pd.Series, findings: Findings, apart: float, joint: Mapping[str, pd.Series]
) -> list[Cell]:
    """A method's line on the board."""
    scale = findings.scale
    method = str(row["method"])
    is_reference = method in WAYS and pd.isna(row["gain"])
    cells = [
        Cell(method + _missing_seeds(row, findings)),
        Cell("reference" if is_reference else scale.gain(row), "number"),
    ]
    if not findings.mixed:
        # a value is told with three decimals at least, however large the gains are
        of_value = Scale(max(3, scale.digits))
        cells.append(
            Cell(
                spread(
                    row["mean"],
                    row["std"],
                    of_value,
                ),
                "number",
            )
        )
    is_counted = not (is_reference or pd.isna(row["ci_low"]))
    for verdict in ("helped", "hurt"):
        cells.append(_count(row[verdict], verdict) if is_counted else Cell(NONE, "number"))
    cells.append(Cell(_size(row["parameters"], apart), "number"))
    for values in joint.values():
        cells.append(Cell(values.get(method, NONE), "number"))
    cells.append(Cell(duration(row["seconds"]), "number"))
    return cells


def _missing_seeds(row: pd.Series, findings: Findings) -> str:
    """How many seeds a method has, where it lacks some."""
    n_seeds = int(row["n_seeds"])
    n_all = len(findings.seeds)
    return f" ({n_seeds} of {n_all} seeds)" if n_seeds < n_all else ""


def _count(n_tasks: float, verdict: str) -> Cell:
    kind = f"number {verdict}" if n_tasks else "number"
    return Cell(f"{n_tasks:,.0f}", kind)


def _size(parameters: float, apart: float) -> str:
    """The parameters, and how many times those of learning apart; a dash for what has none."""
    if math.isnan(parameters):
        return NONE
    size = f"{parameters:,.0f}"
    # false, too, where nothing is known of learning apart
    return f"{size} ({parameters / apart:.2f}×)" if apart > 0 else size


def spread(
    mean: float,
    std: float,
    scale: Scale,
) -> str:
    """``0.943 ± 0.004``, or the mean alone where there is no deviation."""
    if math.isnan(std):
        return scale.plain(mean)
    return f"{scale.plain(mean)} ± {scale.plain(std)}"


def joint_metrics(findings: Findings, fraction: float) -> dict[str, pd.Series]:
    """Metrics of the task set as a whole on the test part: for each, the text of every method."""
    values = []
    for record in findings.records:
        settings = record["settings"]
        if settings["fraction"] != fraction:
            continue
        of_set = record["set_metrics"].get("test", {})
        for metric, value in of_set.items():
            title = metric_named(metric).title
            values.append((settings["method"], title, value))
    return _by_method(pd.DataFrame(values, columns=["method", "metric", "value"]))


def other_metrics(findings: Findings) -> Table:
    """Every metric of the test part, the mean over the tasks that have it, for every method."""
    values = []
    for record in findings.runs():
        settings = record["settings"]
        of_tasks = record["metrics"].get("test", {}).values()
        for metrics in of_tasks:
            for metric, value in metrics.items():
                title = metric_named(metric).title
                values.append((settings["method"], settings["seed"], title, value))
    table = pd.DataFrame(values, columns=["method", "seed", "metric", "value"])
    table = table.astype({"value": float})
    # first over the tasks of a run, then over the runs
    runs = table.groupby(["method", "metric", "seed"], sort=False)["value"].mean().reset_index()
    columns = _by_method(runs)
    rows = []
    for method in findings.methods:
        cells = [Cell(method)]
        for column in columns.values():
            cells.append(Cell(column.get(method, NONE), "number"))
        rows.append(cells)
    return Table(["method", *columns], rows)


def _by_method(values: pd.DataFrame) -> dict[str, pd.Series]:
    """Metric → the text of every method: mean and deviation."""
    stats = values.groupby(["metric", "method"], sort=False)["value"].agg(["mean", "std"])
    told = [spread(row["mean"], row["std"], Scale()) for _, row in stats.iterrows()]
    texts = pd.Series(told, index=stats.index, dtype=object)
    columns = {}
    for metric, own in texts.groupby(level="metric", sort=False):
        columns[str(metric)] = own.droplevel("metric")
    return columns


def task_gains(findings: Findings) -> Table:
    """Every task's value when learned apart and its gain with each method; of very many tasks those
    at the ends.
    """
    summary = findings.summary
    is_shown = (summary["fraction"] == findings.fraction) & (summary["task"] != ALL)
    here = summary[is_shown]
    methods = [method for method in findings.methods if method not in WAYS]
    gains = here.groupby("task", sort=False)["gain"].mean()
    order = list(gains.sort_values(ascending=False, kind="stable").index)
    shown = _ends(order)
    metric_of_task: dict[str, str] = {}
    row_of: dict[tuple[str, str], pd.Series] = {}
    for _, row in here.assign(verdict=verdicts(here)).iterrows():
        metric_of_task.setdefault(row["task"], row["metric"])
        row_of[row["task"], row["method"]] = row
    rows = []
    for task in shown:
        value = NONE
        if task in findings.apart.index:
            apart = findings.apart.loc[task]
            value = spread(apart["mean"], apart["std"], Scale())
        metric = metric_named(metric_of_task[task])
        cells = [Cell(task), Cell(metric.title), Cell(value, "number")]
        for method in methods:
            cells.append(_gain(row_of.get((task, method))))
        rows.append(cells)
    return Table(["task", "metric", "apart", *methods], rows)


def _ends(ordered: Sequence[Any]) -> Sequence[Any]:
    """All of them, or those at the ends where they are very many."""
    if len(ordered) <= MOST_ROWS:
        return ordered
    half = MOST_ROWS // 2
    return [*ordered[:half], *ordered[-half:]]


def _gain(row: pd.Series | None) -> Cell:
    if row is None:
        return Cell(NONE, "number")
    return Cell(Scale(3).gain(row), f"number {row['verdict']}")


def layer_sizes(findings: Findings) -> Table:
    """What is shared in each layer with each method: its form, ranks and parameters, and what that
    adds to the likeness of the tasks.
    """
    heads = [
        "method",
        "layer",
        "sharing",
        "ranks",
        "parameters",
        "of independent",
        "ρ beyond apart",
        "cosine beyond apart",
        "effective rank",
    ]
    scale = Scale(2)
    added = {}
    for _, row in excess_by_layer(findings).iterrows():
        value = scale.signed(row["excess"])
        interval = scale.interval(row["ci_low"], row["ci_high"])
        key = (row["method"], row["layer"], row["measure"])
        added[key] = f"{value} {interval}"
    rows = []
    for _, row in findings.layers().iterrows():
        of_apart = row["parameters"] / row["independent_parameters"]
        cells = [
            Cell(row["method"]),
            Cell(row["layer"]),
            Cell(row["sharing"]),
            Cell(_ranks(row["ranks"])),
            Cell(f"{row['parameters']:,.0f}", "number"),
            Cell(f"{of_apart:.2f}×", "number hurt" if of_apart > 1 else "number"),
        ]
        for measure in MEASURES:
            told = added.get((row["method"], row["layer"], measure), NONE)
            cells.append(Cell(told, "number"))
        cells.append(Cell(scale.plain(row["effective_rank"]), "number"))
        rows.append(cells)
    return Table(heads, rows)


def _ranks(ranks: Sequence[tuple[int, int]]) -> str:
    """The ranks of every mode, of several runs the extremes: ``3 × 4–6``."""
    told = []
    for low, high in ranks:
        told.append(f"{low}" if low == high else f"{low}–{high}")
    return " × ".join(told) or NONE


def task_sizes(findings: Findings) -> Table:
    """Every task's kind, metric and number of examples; of very many tasks those with the fewest
    and the most.
    """
    ranked: Sequence[Mapping[str, Any]] = findings.tasks
    if len(ranked) > MOST_ROWS:
        ranked = sorted(ranked, key=lambda task: int(task["n_train"]))
        ranked = _ends(ranked)
    rows = []
    for task in ranked:
        metric = metric_named(task["metric"])
        cells = [Cell(task["name"]), Cell(_kind(task)), Cell(metric.title)]
        for part in ("n_train", "n_validation", "n_test"):
            cells.append(Cell(f"{task[part]:,}", "number"))
        rows.append(cells)
    return Table(["task", "kind", "metric", "training", "validation", "test"], rows)


def _kind(task: Mapping[str, Any]) -> str:
    if task["kind"] == "multiclass":
        return f"multiclass, {task['n_outputs']} classes"
    return str(task["kind"])


def settings(findings: Findings) -> Table:
    """The settings of the runs: one value where all share it, else each method's."""
    rows = []
    for name in findings.records[0]["settings"]:
        if name in ("method", "seed", "fraction"):
            continue
        rows.append((name.replace("_", " "), _told_setting(name, findings)))
    fractions = [per_cent(fraction) for fraction in findings.fractions]
    rows.append(("training fractions", ", ".join(fractions)))
    rows.append(("seeds", ", ".join(map(str, findings.seeds))))
    rows += findings.records[0]["versions"].items()
    return Table(["setting", "value"], [[Cell(name), Cell(text)] for name, text in rows])


def _told_setting(name: str, findings: Findings) -> str:
    """The value of one setting, or the values with their methods."""
    methods_of: dict[str, list[str]] = {}
    for record in findings.runs():
        text = _setting(name, record["settings"])
        methods = methods_of.setdefault(text, [])
        method = record["settings"]["method"]
        if method not in methods:
            methods.append(method)
    if len(methods_of) == 1:
        return next(iter(methods_of))
    told = [f"{', '.join(methods)}: {text}" for text, methods in methods_of.items()]
    return "; ".join(told)


def _setting(name: str, of_run: Mapping[str, Any]) -> str:
    value = of_run.get(name)
    if value is None or value == {}:
        return _default(name, of_run)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _default(name: str, of_run: Mapping[str, Any]) -> str:
    """The default that was in force; it goes by the kind of the inputs."""
    inputs = of_run.get("inputs", "vector")
    if name == "learning_rate":
        return f"{LEARNING_RATE:g}"
    if name == "weight_decay":
        return f"{WEIGHT_DECAY[inputs]:g}"
    return f"{DROPOUT[inputs]:g}" if name == "dropout" else "default"
