"""What every default of the networks is worth, by rows held out of the training part.

    SOFTSHARE_DATA=FOLDER python -m experiments.defaults [--problems exam digits] [--seeds 0 1]

On development tables a fifth of the training part, at a tenth and three tenths of the rows, is held
out; on digits as images, at a tenth, the validation part, which also chooses the step. The test
parts are not looked at. One setting at a time is changed, and the gain over the defaults, R² or the
tasks' mean ROC-AUC on the held-out rows, is written as each run ends; what is in ``records`` is not
run again. A run takes some seconds of one core, a seed of all some ten minutes.

``python -m experiments.defaults.page`` makes the tables of ``docs/defaults.md``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.few_rows.cells import code_digest
from experiments.few_rows.tables import parts, read
from softshare.data.built_in import digits
from softshare.methods.named import method_named
from softshare.methods.settings import BUDGETS, checked_settings
from softshare.shallow.scores import score
from softshare.tasks.folds import folds
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

RECORDS = Path(__file__).parent / "records"
TABLES = ("exam", "egsingle", "contraception")
DIGITS = "digits"
FRACTIONS: Mapping[str, tuple[float, ...]] = {
    **dict.fromkeys(TABLES, (0.1, 0.3)),
    DIGITS: (0.1,),
}
METHODS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(TABLES, ("tensor-train", "shared-plus-own")),
    DIGITS: ("independent", "tied", "last-axis-flattening", "tensor-train"),
}
N_FOLDS = 5
"""One of them is held out."""

OF_ALL: Mapping[str, Mapping[str, Any]] = {
    "defaults": {},
    "learning rate 0.0003": {"learning_rate": 3e-4},
    "learning rate 0.003": {"learning_rate": 3e-3},
}
OF_FACTORS: Mapping[str, Mapping[str, Any]] = {
    "task rank 0.5": {"method_options": {"task_rank": 0.5}},
    "ranks 0.5": {"method_options": {"ranks": 0.5}},
}
"""Of methods that have these options."""

OF_TABLES: Mapping[str, Mapping[str, Any]] = {
    **OF_ALL,
    "weight decay 0.1": {"weight_decay": 0.1},
    "weight decay 10": {"weight_decay": 10.0},
    "no dropout": {"dropout": 0.0},
    "dropout 0.3": {"dropout": 0.3},
    "no linear model below": {"base": "none"},
    "one hidden layer of 16": {"hidden": (16,)},
    **OF_FACTORS,
}
OF_DIGITS: Mapping[str, Mapping[str, Any]] = {
    **OF_ALL,
    "weight decay 1": {"weight_decay": 1.0},
    "dropout 0.1": {"dropout": 0.1},
    **OF_FACTORS,
}


def main() -> None:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=[*TABLES, DIGITS])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    asked = parser.parse_args()
    for seed in asked.seeds:
        for problem in asked.problems:
            for fraction in FRACTIONS[problem]:
                run_problem(problem, fraction, seed)


def variants(problem: str) -> Mapping[str, Mapping[str, Any]]:
    """Name → the settings that it changes."""
    return OF_DIGITS if problem == DIGITS else OF_TABLES


def run_problem(problem: str, fraction: float, seed: int) -> None:
    """All variants of all methods that the record lacks."""
    path = RECORDS / f"{problem}-{fraction:g}-{seed}.json"
    empty = {"problem": problem, "fraction": fraction, "seed": seed, "runs": []}
    record: dict[str, Any] = json.loads(path.read_text()) if path.exists() else empty
    known = {(run["method"], run["variant"]) for run in record["runs"]}
    train, chooses, held_out = divided(problem, fraction, seed)
    for method in METHODS[problem]:
        named = method_named(method)
        for variant, changed in variants(problem).items():
            options = changed.get("method_options", {})
            if (method, variant) in known or not options.keys() <= named.options.keys():
                continue
            given = {"source": problem, "method": method, "fraction": fraction, "seed": seed}
            if problem == DIGITS:
                given |= {"inputs": "image", **BUDGETS["image"]}
            begin = time.process_time()
            learned = named.learn(train, chooses, checked_settings(given | dict(changed)))
            run = {"method": method, "variant": variant}
            run |= {"value": value(np.concatenate(learned.predict(held_out)), held_out)}
            run |= {"seconds": round(time.process_time() - begin, 1), "code": code_digest()}
            record["runs"].append(run)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(record, indent=1) + "\n")
            print(path.stem, run, flush=True)


def divided(problem: str, fraction: float, seed: int) -> tuple[TaskSet, TaskSet, TaskSet]:
    """What trains, what chooses the step, and what judges the settings, all prepared."""
    if problem == DIGITS:
        tasks = digits()
        train, validation, _ = prepare(tasks, split(tasks, seed=seed, train_fraction=fraction))
        return train, validation, validation
    rows = parts(read(problem), fraction, seed)
    held = folds(rows.train, N_FOLDS, seed=seed) == 0
    return rows.train.select(~held), rows.nothing, rows.train.select(held)


def value(outputs: np.ndarray, tasks: TaskSet) -> float:
    """R² over all rows or the tasks' mean ROC-AUC."""
    kind = tasks.tasks[0].kind
    metric = "r2" if kind == "regression" else "roc-auc"
    return round(score(metric, outputs[:, 0], tasks.targets, tasks.task_of, kind), 5)


if __name__ == "__main__":
    main()
