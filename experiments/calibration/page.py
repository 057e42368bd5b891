"""``python -m experiments.calibration.page``: the tables of ``docs/models.md`` from the records.

The first has the coverage of intervals of 90 %: of tasks with at least twenty held-out rows how far
it lies from nominal, beside what rows alone would scatter, and of smaller tasks the mean. The
second has the log loss and the calibration error of classes before and after. Seconds.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from experiments.calibration.__main__ import LEVEL, MEATS, RECORDS
from experiments.few_rows.tables import TABLES

PAGE = Path("docs/models.md")
BEGIN, END = "<!-- coverage: begin -->\n", "<!-- coverage: end -->\n"
MANY = 20
"""Held-out rows of a task whose own coverage is looked at."""

INTERVAL_HEADS = (
    "table, method",
    "seeds",
    "all rows",
    f"tasks of {MANY} rows",
    "their mean",
    "their scatter",
    "of a perfect method",
    "beyond chance",
    "with one width",
    "smaller tasks",
    "new tasks",
)


def read_all() -> dict[tuple[str, str], list[dict]]:
    """(table, method) → its records."""
    found: dict[tuple[str, str], list[dict]] = {}
    order = [MEATS, *TABLES]
    records = [json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))]
    records.sort(key=lambda record: order.index(record["table"]))
    for record in records:
        found.setdefault((record["table"], record["method"]), []).append(record)
    return found


def interval_row(records: list[dict]) -> list[str]:
    """Cells of one table and method."""
    tasks = [task for record in records for task in record["tasks"] if task["test"]]
    columns = {name: np.array([task[name] for task in tasks]) for name in tasks[0]}
    test, inside = columns["test"], columns["inside"]
    many = test >= MANY
    cells = [str(len(records)), f"{inside.sum() / test.sum():.3f}"]
    if many.any():
        own = inside[many] / test[many]
        one_width = columns["inside_one_width"][many] / test[many]
        scatter = ((own - LEVEL) ** 2).mean()
        noise = columns["noise"][many].mean()
        cells += [
            f"{many.sum() / len(records):.0f}",
            f"{own.mean():.3f}",
            f"{np.sqrt(scatter):.3f}",
            f"{np.sqrt(noise):.3f}",
            beyond(scatter, noise),
            beyond(((one_width - LEVEL) ** 2).mean(), noise),
        ]
    else:
        cells += ["0"] + ["–"] * 5
    few = ~many
    cells.append(f"{inside[few].sum() / test[few].sum():.3f}" if few.any() else "–")
    new = [record["new"] for record in records if "new" in record]
    n_new = sum(each["tasks"] for each in new)
    mean = sum(each["coverage"] * each["tasks"] for each in new) / max(n_new, 1)
    cells.append(f"{mean:.3f} ({n_new})" if new else "–")
    return cells


def beyond(scatter: float, noise: float) -> str:
    """The deviation between tasks that rows do not explain."""
    return f"{np.sqrt(max(scatter - noise, 0.0)):.3f}"


def class_row(records: list[dict]) -> list[str]:
    """Cells of one table and method."""
    cells = [str(len(records))]
    for name in ("log_loss", "ece"):
        before = np.mean([record[f"{name}_before"] for record in records])
        after = np.mean([record[f"{name}_after"] for record in records])
        cells += [f"{before:.4f}", f"{after:.4f}"]
    gains = [record["log_loss_before"] - record["log_loss_after"] for record in records]
    error = np.mean([record["gain_error"] for record in records])
    return [*cells, f"{np.mean(gains):+.4f} ± {error:.4f}"]


def markdown(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both tables between the page's marks."""
    of_numbers, of_classes = [], []
    for (table, method), records in read_all().items():
        name = f"{table}, {method}"
        if "tasks" in records[0]:
            of_numbers.append([name, *interval_row(records)])
        else:
            of_classes.append([name, *class_row(records)])
    heads = ("table, method", "seeds", "log loss", "calibrated", "ECE", "calibrated", "gain")
    made = f"\n{markdown(INTERVAL_HEADS, of_numbers)}\n{markdown(heads, of_classes)}\n"
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{made}{END}{after}")


if __name__ == "__main__":
    main()
