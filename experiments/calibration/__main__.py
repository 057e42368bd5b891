"""Intervals and calibrated probabilities on the development tables, by rows that were held out.

    SOFTSHARE_DATA=FOLDER python -m experiments.calibration [--tables exam hsb] [--seeds 0 1 2]
        [--methods pooled-ridge boosted]

A cell is a table, a method and a seed. Four fifths of each task's rows (or of the groups) train and
calibrate, the rest is predicted: how often a task's rows lie in their intervals of 90 %, beside one
width for all tasks; of classes the log loss and the calibration error before and after. A second
split leaves a fifth of the tasks out, whose rows are predicted as rows of tasks that are new. What
is in ``records`` is not run again. Five seeds of ``pooled-ridge`` take some minutes of one core,
three of ``mixed-model`` and ``boosted`` a quarter of an hour, two of ``auto`` as long again.

``python -m experiments.calibration.page`` makes the tables of ``docs/models.md`` from the records.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import softshare as ss
from experiments.few_rows.tables import PARTS, TABLES, read
from softshare.methods.method import Learned
from softshare.methods.named import method_named
from softshare.methods.settings import checked_settings
from softshare.models.calibration import Calibration, calibrate
from softshare.models.conformal import Intervals
from softshare.tasks.metrics import metric_named
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split, split, units_of
from softshare.tasks.task_set import TaskSet

RECORDS = Path(__file__).parent / "records"
LEVEL = 0.9
MEATS = "meats"
METHODS = ("pooled-ridge", "mixed-model", "boosted", "auto")
APART = "ridge"
"""The method of meats, whose tasks see the same rows."""

NONE = np.empty(0, dtype=np.int64)

LEFT_OUT = 0.2
"""Of the tasks, to be new ones."""


def main() -> None:
    """Run the cells that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="*", default=[MEATS, *TABLES])
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(range(3)))
    arguments = parser.parse_args()
    for name in arguments.tables:
        for method in [APART] if name == MEATS else arguments.methods:
            for seed in arguments.seeds:
                run_cell(name, method, seed)


def run_cell(name: str, method: str, seed: int) -> None:
    """Learn, calibrate, predict the rest, and write the record."""
    path = RECORDS / f"{name}-{method}-{seed}.json"
    if path.exists():
        return
    tasks = read_meats() if name == MEATS else read(name)
    kept = tasks.drop_small_tasks(fractions=PARTS)
    train, nothing, test = prepare(kept, split(kept, seed=seed, fractions=PARTS))
    learned, calibration = calibrated(method, name, seed, train, nothing)
    record: dict[str, Any] = {"table": name, "method": method, "seed": seed, "level": LEVEL}
    outputs = learned.predict(test)
    if calibration.intervals is not None:
        record["tasks"] = coverages(calibration.intervals, train, test, outputs, learned)
        if not kept.one_input:
            record["new"] = of_new_tasks(kept, method, name, seed)
    else:
        after = calibration.outputs(test.tasks, outputs, np.arange(len(test)))
        record |= losses(test, outputs, after)
    path.write_text(json.dumps(record) + "\n")
    print(path.stem, flush=True)


def read_meats() -> TaskSet:
    """Three contents of 215 pieces of meat by their spectra."""
    path = Path(os.environ["SOFTSHARE_DATA"]) / "tables" / f"{MEATS}.csv.gz"
    return ss.read_table(path, target=["water", "fat", "protein"])


def calibrated(
    method: str, source: str, seed: int, train: TaskSet, nothing: TaskSet
) -> tuple[Learned, Calibration]:
    """What a method learns, and the calibration by what it says of rows held out."""
    options = {"preset": "quick"} if method == "auto" else {}
    given = {"source": source, "method": method, "fraction": 1.0, "seed": seed}
    settings = checked_settings({**given, "method_options": options})
    learned = method_named(method).learn(train, nothing, settings)
    calibration = calibrate(learned, train, nothing)
    assert calibration is not None
    return learned, calibration


def coverages(
    intervals: Intervals,
    train: TaskSet,
    test: TaskSet,
    outputs: Sequence[np.ndarray],
    learned: Learned,
) -> list[dict[str, Any]]:
    """A row a task: how many of its test rows lie in their intervals, and in one width for all."""
    missed = np.abs(test.targets - np.concatenate(outputs)[:, 0])
    half = intervals.half_widths(test.task_of, LEVEL)
    assert learned.out_of_fold is not None
    held_out = np.abs(train.targets - np.concatenate(learned.out_of_fold)[:, 0])
    one_width = float(np.quantile(held_out, LEVEL, method="inverted_cdf"))
    inside = missed <= half
    units = units_of(test)
    rows = []
    for number in range(len(test)):
        own = test.entries(number)
        # The variance of the covered fraction: rows of a group are covered or missed together.
        codes = np.unique(units[own], return_inverse=True)[1].reshape(-1)
        by_unit = np.bincount(codes, weights=inside[own] - inside.mean())
        n_test = int(test.n_examples[number])
        rows.append(
            {
                "train": int(train.n_examples[number]),
                "test": n_test,
                "inside": int(inside[own].sum()),
                "inside_one_width": int((missed[own] <= one_width).sum()),
                "noise": float((by_unit**2).sum() / max(n_test, 1) ** 2),
                "half_width": float(half[own][0]) if n_test else None,
            }
        )
    return rows


def of_new_tasks(tasks: TaskSet, method: str, source: str, seed: int) -> dict[str, float]:
    """How often rows of tasks that were left out lie in the intervals of new tasks."""
    order = np.random.default_rng(seed).permutation(len(tasks))
    is_left_out = np.zeros(len(tasks), dtype=bool)
    is_left_out[order[: max(1, round(LEFT_OUT * len(tasks)))]] = True
    of_left_out = is_left_out[tasks.task_of]
    parts = Split(np.flatnonzero(~of_left_out), NONE, np.flatnonzero(of_left_out))
    whole, _, rest = prepare(tasks, parts)
    train = whole.keep_tasks(np.flatnonzero(~is_left_out))
    others = rest.keep_tasks(np.flatnonzero(is_left_out))
    learned, calibration = calibrated(method, source, seed, train, train.select(NONE))
    missed = np.abs(others.targets - np.concatenate(learned.predict_new(others))[:, 0])
    assert calibration.intervals is not None
    new = np.full(len(others.rows), -1)
    inside = missed <= calibration.intervals.half_widths(new, LEVEL)
    known_half = calibration.intervals.half_widths(train.task_of, LEVEL)
    means = [inside[others.entries(number)].mean() for number in range(len(others))]
    as_known = float(np.mean(missed <= np.median(known_half)))
    return {
        "tasks": len(others),
        "coverage": float(np.mean(means)),
        "coverage_of_rows": float(inside.mean()),
        "by_width_of_known": as_known,
    }


def losses(
    test: TaskSet, before: Sequence[np.ndarray], after: Sequence[np.ndarray]
) -> dict[str, float]:
    """Log loss and calibration error over all rows, and the gain's standard error over groups."""
    record = {}
    ones = np.ones((1, len(test.rows)))
    for name in ("log_loss", "ece"):
        measure = metric_named(name).measure
        assert measure is not None
        for told, outputs in (("before", before), ("after", after)):
            (value,) = measure(np.concatenate(outputs), test.targets, ones)
            record[f"{name}_{told}"] = float(value)
    log_loss = metric_named("log_loss").measure
    assert log_loss is not None
    each = np.eye(len(test.rows))
    lost, left = (
        log_loss(np.concatenate(outputs), test.targets, each) for outputs in (before, after)
    )
    gains = lost - left
    codes = np.unique(units_of(test), return_inverse=True)[1].reshape(-1)
    by_unit = np.bincount(codes, weights=gains)
    record["gain_error"] = float(np.sqrt(len(by_unit)) * by_unit.std() / len(gains))
    return record


if __name__ == "__main__":
    main()
