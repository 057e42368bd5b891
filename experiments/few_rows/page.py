"""``python -m experiments.few_rows.page``: the tables of ``docs/few-rows.md`` from the records.

The first has the mean and deviation over seeds of every method's R² (over all test rows) or mean
ROC-AUC, the second what ``auto quick`` gains over what a person would use instead, paired by
seeds, with its 95 % t-interval. Seconds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from scipy import stats

from experiments.few_rows.__main__ import RECORDS
from experiments.few_rows.tables import TABLES

PAGE = Path("docs/few-rows.md")
BEGIN, END = "<!-- records: begin -->\n", "<!-- records: end -->\n"
AUTO = "auto quick"
RIVALS = ("pooled-ridge", "mixed-model", "boosted")
FEWEST_SEEDS = 3
"""For an interval."""


def read_all() -> pd.DataFrame:
    """A row per table, fraction, seed and method, with its ``value``."""
    rows = []
    for path in sorted(RECORDS.glob("*.json")):
        record = json.loads(path.read_text())
        cell = {name: record[name] for name in ("table", "fraction", "seed")}
        for method, values in record["methods"].items():
            rows.append(cell | {"method": method, "value": values["value"]})
    return pd.DataFrame(rows)


def values_table(records: pd.DataFrame) -> str:
    """Mean ± deviation of every method in every cell, the best in bold, and mean ranks."""
    methods = list(dict.fromkeys(records["method"]))
    lines = [f"| table, fraction | seeds | {' | '.join(methods)} |"]
    lines.append("|---" * (len(methods) + 2) + "|")
    ranks = []
    for (table, fraction), cell in _cells(records):
        values = cell.pivot(index="seed", columns="method", values="value").reindex(columns=methods)
        means = values.mean()
        ranks.append(means.rank(ascending=False))
        texts = []
        for method in methods:
            spread = f" ± {values[method].std():.3f}" if len(values) > 1 else ""
            bold = "**" if means[method] == means.max() else ""
            texts.append(f"{bold}{means[method]:.3f}{bold}{spread}")
        lines.append(f"| {table} {100 * fraction:g} % | {len(values)} | {' | '.join(texts)} |")
    mean_ranks = pd.DataFrame(ranks).mean()
    told = [f"{mean_ranks[method]:.1f}" for method in methods]
    lines.append(f"| mean rank | | {' | '.join(told)} |")
    return "\n".join(lines)


def gains_table(records: pd.DataFrame) -> str:
    """What auto gains over each rival, and over the best single method of the cell's mean."""
    heads = " | ".join(f"over {rival}" for rival in RIVALS)
    lines = [f"| table, fraction | {heads} | over the best single one |", "|---|---|---|---|---|"]
    for (table, fraction), cell in _cells(records):
        values = cell.pivot(index="seed", columns="method", values="value")
        singles = [method for method in values if not method.startswith("auto")]
        best = values[singles].mean().idxmax()
        texts = [_difference(values[AUTO] - values[rival]) for rival in RIVALS]
        texts.append(f"{_difference(values[AUTO] - values[best])} ({best})")
        lines.append(f"| {table} {100 * fraction:g} % | {' | '.join(texts)} |")
    return "\n".join(lines)


def _cells(records: pd.DataFrame) -> list[tuple[tuple[str, float], pd.DataFrame]]:
    found = dict(list(records.groupby(["table", "fraction"])))
    order = list(TABLES)
    return sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))


def _difference(gains: pd.Series) -> str:
    """``+0.012 [0.004, 0.020]``."""
    mean = gains.mean()
    if len(gains) < FEWEST_SEEDS:
        return f"{mean:+.3f}"
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.sem()
    return f"{mean:+.3f} [{mean - half:.3f}, {mean + half:.3f}]"


def main() -> None:
    """Write both tables between the page's marks."""
    records = read_all()
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    made = f"{values_table(records)}\n\n{gains_table(records)}\n\n"
    PAGE.write_text(f"{before}{BEGIN}\n{made}{END}{after}")


if __name__ == "__main__":
    main()
