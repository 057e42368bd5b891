"""The report's tables: rows of finished text, ready for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

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
    apart = rows.loc[rows["method"] == BASELINE, "parameters"].max()
    joint = joint_metrics(findings, fraction)
    metric = metric_named(rows["metric"].iloc[0]).title
    scored = [] if findings.mixed else [metric]
    heads = [
        "method",
        f"{'relative ' * findings.mixed}gain [95 % interval]",
        *scored,
        "helped",
        "hurt",
        "parameters",
        *joint,
        "time a run",
    ]
    return Table(heads, [_method(row, findings, apart, joint) for _, row in rows.iterrows()])


def _method(
    row: pd.Series, findings: Findings, apart: float, joint: Mapping[str, pd.Series]
) -> list[Cell]:
    scale, baseline, method = findings.scale, row["method"] == BASELINE, str(row["method"])
    counted = not (baseline or pd.isna(row["ci_low"]))
    size = NONE if pd.isna(row["parameters"]) else f"{row['parameters']:,.0f}"
    runs = (
        f" ({int(row['n_seeds'])} of {len(findings.seeds)} seeds)"
        if row["n_seeds"] < len(findings.seeds)
        else ""
    )
    return [
        Cell(method + runs),
        Cell("reference" if baseline else scale.gain(row), "number"),
        *(
            []
            if findings.mixed
            else [Cell(spread(row["mean"], row["std"], Scale(max(3, scale.digits))), "number")]
        ),
        Cell(
            f"{row['helped']:,.0f}" if counted else NONE,
            "number helped" if counted and row["helped"] else "number",
        ),
        Cell(
            f"{row['hurt']:,.0f}" if counted else NONE,
            "number hurt" if counted and row["hurt"] else "number",
        ),
        Cell(
            size + (f" ({row['parameters'] / apart:.2f}×)" if apart > 0 and size != NONE else ""),
            "number",
        ),
        *(Cell(values.get(method, NONE), "number") for values in joint.values()),
        Cell(duration(row["seconds"]), "number"),
    ]


def spread(mean: float, std: float, scale: Scale) -> str:
    """``0.943 ± 0.004``, or the mean alone where there is no deviation."""
    return scale.plain(mean) + ("" if pd.isna(std) else f" ± {scale.plain(std)}")


def joint_metrics(findings: Findings, fraction: float) -> dict[str, pd.Series]:
    """Metrics of the task set as a whole on the test part: for each, the text of every method."""
    values = [
        {
            "method": record["settings"]["method"],
            "metric": metric_named(metric).title,
            "value": value,
        }
        for record in findings.records
        if record["settings"]["fraction"] == fraction
        for metric, value in record["set_metrics"].get("test", {}).items()
    ]
    return _by_method(pd.DataFrame(values, columns=["method", "metric", "value"]))


def other_metrics(findings: Findings) -> Table:
    """Every metric of the test part, the mean over the tasks that have it, for every method."""
    values = [
        {
            "method": record["settings"]["method"],
            "seed": record["settings"]["seed"],
            "metric": metric_named(metric).title,
            "value": value,
        }
        for record in findings.runs()
        for metrics in record["metrics"].get("test", {}).values()
        for metric, value in metrics.items()
    ]
    table = pd.DataFrame(values, columns=["method", "seed", "metric", "value"]).astype(
        {"value": float}
    )
    runs = table.groupby(["method", "metric", "seed"], sort=False)["value"].mean().reset_index()
    columns = _by_method(runs)
    rows = [
        [Cell(method), *(Cell(column.get(method, NONE), "number") for column in columns.values())]
        for method in findings.methods
    ]
    return Table(["method", *columns], rows)


def _by_method(values: pd.DataFrame) -> dict[str, pd.Series]:
    stats = values.groupby(["metric", "method"], sort=False)["value"].agg(["mean", "std"])
    texts = pd.Series(
        [spread(row["mean"], row["std"], Scale()) for _, row in stats.iterrows()],
        index=stats.index,
        dtype=object,
    )
    return {
        str(metric): own.droplevel("metric")
        for metric, own in texts.groupby(level="metric", sort=False)
    }


def task_gains(findings: Findings) -> Table:
    """Every task's value when learned apart and its gain with each method; of very many tasks those
    at the ends.
    """
    here = findings.summary[
        (findings.summary["fraction"] == findings.fraction) & (findings.summary["task"] != ALL)
    ]
    methods = [method for method in findings.methods if method != BASELINE]
    order = (
        here.groupby("task", sort=False)["gain"]
        .mean()
        .sort_values(ascending=False, kind="stable")
        .index
    )
    shown = (
        list(order)
        if len(order) <= MOST_ROWS
        else [*order[: MOST_ROWS // 2], *order[-MOST_ROWS // 2 :]]
    )
    cells = {
        (row["task"], row["method"]): row
        for _, row in here[here["task"].isin(shown)].assign(verdict=verdicts(here)).iterrows()
    }
    rows = []
    for task in shown:
        first = cells.get((task, BASELINE))
        metric = next(row["metric"] for (name, _), row in cells.items() if name == task)
        value = NONE if first is None else spread(first["mean"], first["std"], Scale())
        rows.append(
            [
                Cell(task),
                Cell(metric_named(metric).title),
                Cell(value, "number"),
                *(_gain(cells.get((task, name))) for name in methods),
            ]
        )
    return Table(["task", "metric", "apart", *methods], rows)


def _gain(row: pd.Series | None) -> Cell:
    return (
        Cell(NONE, "number")
        if row is None
        else Cell(Scale(3).gain(row), f"number {row['verdict']}")
    )


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
    added = {}
    for _, row in excess_by_layer(findings).iterrows():
        interval = Scale(2).interval(row["ci_low"], row["ci_high"])
        key = (row["method"], row["layer"], row["measure"])
        added[key] = f"{Scale(2).signed(row['excess'])} {interval}"
    rows = []
    for _, row in findings.layers().iterrows():
        of_apart = row["parameters"] / row["independent_parameters"]
        keys = [(row["method"], row["layer"], measure) for measure in MEASURES]
        rows.append(
            [
                Cell(row["method"]),
                Cell(row["layer"]),
                Cell(row["sharing"]),
                Cell(_ranks(row["ranks"])),
                Cell(f"{row['parameters']:,.0f}", "number"),
                Cell(f"{of_apart:.2f}×", "number hurt" if of_apart > 1 else "number"),
                *(Cell(added.get(key, NONE), "number") for key in keys),
                Cell(Scale(2).plain(row["effective_rank"]), "number"),
            ]
        )
    return Table(heads, rows)


def _ranks(ranks: Sequence[tuple[int, int]]) -> str:
    return " × ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in ranks) or NONE


def task_sizes(findings: Findings) -> Table:
    """Every task's kind, metric and number of examples; of very many tasks those with the fewest
    and the most.
    """
    ranked: Sequence[Mapping[str, Any]] = findings.tasks
    if len(ranked) > MOST_ROWS:
        ranked = sorted(ranked, key=lambda task: int(task["n_train"]))
        ranked = [*ranked[: MOST_ROWS // 2], *ranked[-MOST_ROWS // 2 :]]
    numbers = ("n_train", "n_validation", "n_test")
    rows = [
        [
            Cell(task["name"]),
            Cell(_kind(task)),
            Cell(metric_named(task["metric"]).title),
            *(Cell(f"{task[name]:,}", "number") for name in numbers),
        ]
        for task in ranked
    ]
    return Table(["task", "kind", "metric", "training", "validation", "test"], rows)


def _kind(task: Mapping[str, Any]) -> str:
    return (
        f"multiclass, {task['n_outputs']} classes"
        if task["kind"] == "multiclass"
        else str(task["kind"])
    )


def settings(findings: Findings) -> Table:
    """The settings of the runs: one value where all share it, else each method's."""
    rows = []
    for name in findings.records[0]["settings"]:
        if name in ("method", "seed", "fraction"):
            continue
        values: dict[str, list[str]] = {}
        for record in findings.runs():
            text = _setting(name, record["settings"])
            if record["settings"]["method"] not in values.setdefault(text, []):
                values[text].append(record["settings"]["method"])
        told = (
            next(iter(values))
            if len(values) == 1
            else "; ".join(f"{', '.join(methods)}: {text}" for text, methods in values.items())
        )
        rows.append([Cell(name.replace("_", " ")), Cell(told)])
    rows.append(
        [
            Cell("training fractions"),
            Cell(", ".join(per_cent(fraction) for fraction in findings.fractions)),
        ]
    )
    rows.append([Cell("seeds"), Cell(", ".join(map(str, findings.seeds)))])
    rows += [[Cell(name), Cell(text)] for name, text in findings.records[0]["versions"].items()]
    return Table(["setting", "value"], rows)


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
