"""``python -m experiments.sums.page``: the tables of ``docs/sums.md`` from the records. Seconds.

Differences are paired by seeds, with 95 % t-intervals.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from experiments.defaults.page import written
from experiments.few_rows.judged import cells, difference, read_all
from experiments.sums.adapters import KINDS as ADAPTERS
from experiments.sums.office import CHOSEN, KINDS

HERE = Path(__file__).parent
RECORDS = HERE / "records"
PAGE = Path("docs/sums.md")
SUM, OTHERS = "shared-plus-own", ("pooled", "independent")
MEAN = "DRN around a mean"
NETWORKS = (*KINDS, CHOSEN)


def office_table() -> str:
    """Mean accuracy of every network, and what the prior around a mean gains on it."""
    rows = []
    for path in sorted(RECORDS.glob("office-*.json")):
        record = json.loads(path.read_text())
        cell = {name: record[name] for name in ("features", "percentage", "seed")}
        for kind, found in record["kinds"].items():
            rows.append(cell | {"kind": kind, "right": 100 * found["mean"]})
    found = pd.DataFrame(rows)
    lines = ["| features, labels | splits | " + " | ".join(NETWORKS) + " |"]
    lines.append("|---" * (len(NETWORKS) + 2) + "|")
    for (features, percentage), cell in found.groupby(["features", "percentage"]):
        values = cell.pivot(index="seed", columns="kind", values="right").dropna()
        texts = []
        for kind in NETWORKS:
            text = f"{values[kind].mean():.1f}"
            if kind != MEAN and len(values) > 1:
                text += f" ({_interval(values[MEAN] - values[kind])})"
            texts.append(text)
        lines.append(f"| {features} {percentage} % | {len(values)} | {' | '.join(texts)} |")
    return "\n".join(lines)


def adapters_table() -> str:
    """Own numbers a task and mean test error."""
    paths = sorted(RECORDS.glob("adapters-*.json"))
    rows = [json.loads(path.read_text()) for path in paths if "search" not in path.stem]
    if not rows:
        return "Not run yet."
    found = pd.DataFrame(rows)
    values = 100 * found.pivot(index="seed", columns="kind", values="test")
    of_kind = found.groupby("kind").first()
    own, rate = of_kind["own"], of_kind["rate"]
    heads = ["adapted", "own numbers a task", "learning rate", "seeds", "test error, %"]
    lines = [f"| {' | '.join(heads)} | less than fine-tuned |"]
    lines.append("|---" * (len(heads) + 1) + "|")
    for kind in ADAPTERS:
        if kind not in values:
            continue
        error = values[kind].dropna()
        gain = ""
        if kind != "fine-tuned" and "fine-tuned" in values:
            gain = _interval((values["fine-tuned"] - values[kind]).dropna())
        told = [f"{own[kind]:,.0f}", f"{rate[kind]:g}", str(len(error)), f"{error.mean():.1f}"]
        lines.append(f"| {kind} | {' | '.join(told)} | {gain} |")
    return "\n".join(lines)


def tables_table() -> str:
    """The sum beside pooled and independent networks on the development tables, and the largest
    share that tasks' own parts have in a layer.
    """
    heads = ("table, fraction", "seeds", *OTHERS, SUM, "over the better", "own, %")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    records = read_all()
    shares = records[records["method"] == SUM].groupby(["table", "fraction"])["own"].mean()
    told, behind = 0, []
    for (table, fraction), all_values in cells(records, beside=SUM).items():
        others = [name for name in OTHERS if name in all_values]  # not all suit tasks of one row
        values = all_values[[*others, SUM]].dropna()
        if not others or values.empty:
            continue
        means = values.mean()
        gain = difference(values, SUM, str(means[others].idxmax()))
        texts = [f"{means[name]:.3f}" if name in means else "" for name in (*OTHERS, SUM)]
        error = "" if isnan(gain["error"]) else f" ± {gain['error']:.4f}"
        texts.append(f"{gain['mean']:+.4f}{error}")
        texts.append(f"{100 * shares[table, fraction]:.1f}")
        cell = f"{table} {100 * fraction:g} %"
        lines.append(f"| {cell} | {len(values)} | {' | '.join(texts)} |")
        told += not isnan(gain["error"])
        behind += [cell] * (gain["mean"] < -gain["error"])
    if len(lines) == 2:
        return "Not run yet."
    counted = f"Cells with seeds enough for an error: {told} of {len(lines) - 2}; of these the sum "
    counted += f"is more than one error below the better in {len(behind)}"
    return "\n".join([*lines, "", counted + (f" ({', '.join(behind)})." if behind else ".")])


def spread_table() -> str:
    """What is learned where tasks spread by a known deviation."""
    path = HERE / "spread.csv"
    if not path.exists():
        return "Not run yet."
    found = pd.read_csv(path).astype(object).fillna("")
    lines = [f"| {' | '.join(found.columns)} |", "|---" * len(found.columns) + "|"]
    lines += [f"| {' | '.join(_plain(row))} |" for row in found.to_numpy().tolist()]
    return "\n".join(lines)


def _plain(row: Sequence[Any]) -> list[str]:
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in row]


def _interval(gains: pd.Series) -> str:
    """``+1.2 ± 0.4``, the half of a 95 % interval; of one seed the difference alone."""
    if len(gains) < 2:
        return f"{gains.mean():+.1f}"
    half = float(stats.t.ppf(0.975, len(gains) - 1)) * float(gains.sem())
    return f"{gains.mean():+.1f} ± {half:.1f}"


def main() -> None:
    """Write the tables between the page's marks."""
    text = PAGE.read_text()
    text = written(text, "office", office_table())
    text = written(text, "adapters", adapters_table())
    text = written(text, "tables", tables_table())
    text = written(text, "spread", spread_table())
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
