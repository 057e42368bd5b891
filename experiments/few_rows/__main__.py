"""Contestants, networks and ``auto`` on the development tables.

    SOFTSHARE_DATA=FOLDER python -m experiments.few_rows [--tables exam hsb] [--seeds 0 1 2]
        [--fractions 0.1 0.3 1] [--networks]

Each method learns a fraction of the training part (four fifths of each task's rows, or of the
groups) and is judged on the test part: R² over all its rows, or the tasks' mean ROC-AUC. A cell is
a table, a fraction and a seed; what is in ``records`` already is not run again. ``auto`` weighs the
methods that were run, ``auto.preset=quick`` those without networks. Without networks ten seeds of
all tables but insteval take half an hour of one core; networks ten times that.

``python -m experiments.few_rows.page`` makes the tables of ``docs/few-rows.md`` from the records.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from experiments.few_rows.tables import TABLES, Parts, parts, read
from softshare.methods import stacked
from softshare.methods.method import Learned
from softshare.methods.named import AUTO, method_named
from softshare.methods.settings import RunSettings, checked_settings
from softshare.shallow.scores import score
from softshare.tasks.task_set import TaskSet

RECORDS = Path(__file__).parent / "records"
CONTESTANTS = tuple(method.name for method in AUTO.presets["quick"])
NETWORKS = ("tensor-train", "independent", "pooled", "tied", "last-axis-flattening", "tucker")
FRACTIONS = (0.1, 0.3, 1.0)


def main() -> None:
    """Run the cells that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--fractions", nargs="*", type=float, default=list(FRACTIONS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(range(5)))
    parser.add_argument("--networks", nargs="*", default=[])
    arguments = parser.parse_args()
    methods = (*CONTESTANTS, *arguments.networks)
    for seed in arguments.seeds:
        for name in arguments.tables:
            for fraction in arguments.fractions:
                run_cell(name, fraction, seed, methods)


def run_cell(name: str, fraction: float, seed: int, methods: tuple[str, ...]) -> None:
    """Learn with the methods that a cell's record lacks, weigh all, and write the record."""
    path = RECORDS / f"{name}-{fraction:g}-{seed}.json"
    record = json.loads(path.read_text()) if path.exists() else {"methods": {}}
    known: dict[str, Any] = record["methods"]
    if all(method in known for method in methods):
        return
    rows = parts(read(name), fraction, seed)
    settings = checked_settings(
        {"source": name, "method": "auto", "fraction": fraction, "seed": seed}
    )
    learned: dict[str, Learned] = {}
    for method in methods:
        begin = time.process_time()
        learned[method] = _learn(method, rows, settings)
        seconds = time.process_time() - begin
        known[method] = _measured(learned[method], rows.test) | {"seconds": round(seconds, 2)}
    for preset in ("quick", "default"):
        wanted = {method.name for method in AUTO.presets[preset]}
        members = {name: learned[name] for name in learned if name in wanted}
        if len(members) == len(wanted):
            key = "auto" if preset == "default" else f"auto {preset}"
            weighed = stacked.weighed(AUTO, members, rows.train, settings)
            known[key] = _measured(weighed, rows.test) | {"weights": weighed.decided["weights"]}
    record |= {"table": name, "fraction": fraction, "seed": seed}
    record |= {"n_train": len(rows.train.rows), "n_tasks": len(rows.train)}
    path.write_text(json.dumps(record, indent=1) + "\n")
    told = ", ".join(f"{method} {values['value']:.3f}" for method, values in known.items())
    print(f"{path.stem}: {told}", flush=True)


def _learn(method: str, rows: Parts, settings: RunSettings) -> Learned:
    own = replace(settings, method=method)
    return method_named(method).learn(rows.train, rows.nothing, own)


def _measured(learned: Learned, test: TaskSet) -> dict[str, Any]:
    """R² over all rows or the tasks' mean ROC-AUC, and the mean of the tasks' RMSE."""
    outputs = np.concatenate(learned.predict(test))[:, 0]
    kind = test.tasks[0].kind
    if kind == "regression":
        rmse = -score("mean-rmse", outputs, test.targets, test.task_of, kind)
        value = float(r2_score(test.targets, outputs))
        return {"value": round(value, 5), "rmse": round(rmse, 5)}
    area = score("roc-auc", outputs, test.targets, test.task_of, kind)
    return {"value": round(area, 5)}


if __name__ == "__main__":
    main()
