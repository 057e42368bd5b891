"""One network for all tasks and each task's own part, against pooled and independent networks, on
tables of people in schools and districts.

    SOFTSHARE_DATA=... python -m experiments.sums.tables [TABLE ...] [--seeds N]

For every table, fraction of the training part and seed: the test metric of ``pooled``,
``independent`` and ``shared-plus-own``, all of defaults, and the spread that the sum has learned. A
run whose record exists is not run again. About 4 minutes a table and seed on two CPU cores. Writes
``tables.csv``, a row a table and fraction: means over seeds, and the paired difference of the sum
to the better of the two with its standard error.

The tables (exam, hsb, contraception, egsingle: R packages mlmRev and lme4) lie in
``$SOFTSHARE_DATA/tables`` as ``NAME.csv.gz`` and come with no checkout.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import softshare as ss

HERE = Path(__file__).parent
RECORDS = HERE / "records"
METHODS = ("pooled", "independent", "shared-plus-own")
FRACTIONS = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Table:
    """A table and what it is read by."""

    name: str
    task: str
    target: str
    group: str | None = None


TABLES = (
    Table("exam", "school", "normexam"),
    Table("hsb", "school", "math"),
    Table("contraception", "district", "use"),
    Table("egsingle", "schoolid", "math", group="childid"),
)


def read(table: Table, fraction: float) -> ss.TaskSet:
    """The table without tasks that are too small for this fraction."""
    folder = Path(os.environ["SOFTSHARE_DATA"]) / "tables"
    tasks = ss.read_table(
        folder / f"{table.name}.csv.gz",
        task=table.task,
        target=table.target,
        group=table.group,
    )
    return tasks.drop_small_tasks(train_fraction=fraction)


def run(table: Table, fraction: float, seed: int) -> list[dict[str, Any]]:
    """The methods' short records of one seed."""
    path = RECORDS / f"{table.name}-f{fraction:g}-s{seed}.json"
    if path.exists():
        found: list[dict[str, Any]] = json.loads(path.read_text())
        return found
    comparison = ss.compare(
        read(table, fraction),
        source=table.name,
        methods=list(METHODS),
        fractions=[fraction],
        seeds=[seed],
        workers=0,
        progress=False,
    )
    short = [_short(record) for record in comparison.records]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(short, indent=1) + "\n")
    return short


def _short(record: Any) -> dict[str, Any]:
    """What the page needs of a record."""
    by_task = list(record["metrics"]["test"].values())
    metric = next(iter(by_task[0]))
    values = [of_task[metric] for of_task in by_task if of_task[metric] is not None]
    spreads = {}
    for layer, told in record["sharing"]["layers"].items():
        if told.get("spread") is not None:
            spreads[layer] = [told["spread"], told["own"]]
    return {
        "method": record["settings"]["method"],
        "metric": metric,
        "value": fmean(values),
        "spreads": spreads,
        "seconds": round(record["seconds"], 1),
    }


def summary(table: Table, fraction: float, seeds: int) -> dict[str, Any] | None:
    """Means over the seeds that are recorded, and the sum's gain on the better of the two
    others.
    """
    by_method: dict[str, list[float]] = {name: [] for name in METHODS}
    metric = ""
    for seed in range(seeds):
        path = RECORDS / f"{table.name}-f{fraction:g}-s{seed}.json"
        if not path.exists():
            continue
        for row in json.loads(path.read_text()):
            metric = row["metric"]
            by_method[row["method"]].append(row["value"])
    n_seeds = len(by_method["pooled"])
    if n_seeds < 2:
        return None
    sign = -1 if metric == "rmse" else 1
    means = {name: fmean(values) for name, values in by_method.items()}
    better = max(("pooled", "independent"), key=lambda name: sign * means[name])
    gains = []
    for own, other in zip(by_method["shared-plus-own"], by_method[better], strict=True):
        gains.append(sign * (own - other))
    row: dict[str, Any] = {"table": table.name, "fraction": fraction, "seeds": n_seeds}
    row["metric"] = metric
    for name, mean in means.items():
        row[name] = round(mean, 4)
    row["gain on the better"] = round(fmean(gains), 4)
    row["standard error"] = round(stdev(gains) / n_seeds**0.5, 4)
    return row


def main() -> None:
    """Run what is asked for, and write the summary of all that is recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=[table.name for table in TABLES])
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    # Seed by seed, so that what is broken off is even.
    for seed in range(asked.seeds):
        for table, fraction in product(TABLES, FRACTIONS):
            if table.name in asked.tables:
                run(table, fraction, seed)
    rows = []
    for table, fraction in product(TABLES, FRACTIONS):
        row = summary(table, fraction, asked.seeds)
        if row is not None:
            rows.append(row)
            print(row)
    with (HERE / "tables.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
