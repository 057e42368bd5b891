"""What a person would use instead, on the development tables: the contestants of ``shallow``.

    python -m benchmarks.contestants [--tables exam hsb] [--methods PooledRidge] [--seeds 3]

A fraction of each task's rows (or of the groups) trains, all others test: R² over all test rows,
or the tasks' mean ROC-AUC.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import r2_score, roc_auc_score

from softshare.shallow.boosted import Boosted
from softshare.shallow.forest import Forest
from softshare.shallow.gaussian_process import GaussianProcess
from softshare.shallow.mixed_model import MixedModel
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.ridge_apart import RidgeApart

CONTESTANTS: dict[str, Callable[..., object]] = {
    "RidgeApart": RidgeApart,
    "PooledRidge": PooledRidge,
    "MixedModel": MixedModel,
    "Boosted": Boosted,
    "Boosted from PooledRidge": partial(Boosted, start="pooled-ridge"),
    "Forest": Forest,
    "GaussianProcess": GaussianProcess,
}


@dataclass(frozen=True)
class Table:
    """Which columns are the task, the target, and the group; ``drop`` holds no inputs."""

    task: str
    target: str
    group: str | None = None
    drop: tuple[str, ...] = ()
    fractions: tuple[float, ...] = (0.1, 0.3, 0.7)


TABLES = {
    "exam": Table("school", "normexam", drop=("student",)),
    "hsb": Table("school", "math"),
    "egsingle": Table("schoolid", "math", group="childid"),
    "verbagg": Table("item", "r2", group="person"),
    "contraception": Table("district", "use"),
    "ames": Table("Neighborhood", "Sale_Price", fractions=(0.3, 0.7)),
    "insteval": Table("instructor", "rating", group="student", fractions=(0.3, 0.7)),
}


@dataclass(frozen=True)
class Split:
    """One table's rows as arrays, and which of them train."""

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    tasks: NDArray[np.int64]
    groups: NDArray[np.int64] | None
    train: NDArray[np.bool_]
    kind: str


def split_table(name: str, fraction: float, seed: int) -> Split:
    """Read a table and draw its training rows, stratified by task and class, or whole groups."""
    table = TABLES[name]
    frame = read_table(name)
    target = frame[table.target]
    binary = target.nunique() == 2
    targets = pd.Categorical(target).codes if binary else target.to_numpy()
    generator = np.random.default_rng(seed)
    train = np.zeros(len(frame), dtype=bool)
    groups = None
    if table.group:
        groups = pd.factorize(frame[table.group])[0]
        order = generator.permutation(groups.max() + 1)
        train = np.isin(groups, order[: round(fraction * len(order))])
    else:
        strata = [table.task, table.target] if binary else [table.task]
        for rows in frame.groupby(strata).indices.values():
            n_train = max(1, round(fraction * len(rows)))
            train[generator.permutation(rows)[:n_train]] = True
    aside = {table.task, table.target, table.group, *table.drop}
    inputs = encoded(frame[[column for column in frame if column not in aside]], train)
    tasks = pd.factorize(frame[table.task], sort=True)[0]
    kind = "binary" if binary else "regression"
    return Split(inputs, targets.astype(float), tasks, groups, train, kind)


def read_table(name: str) -> pd.DataFrame:
    """A development table, from the folder that ``SOFTSHARE_DATA`` names."""
    table = TABLES[name]
    path = Path(os.environ["SOFTSHARE_DATA"]) / "tables" / f"{name}.csv.gz"
    frame = pd.read_csv(path, low_memory=False).dropna(subset=[table.task, table.target])
    for column in (table.task, table.group):
        if column:
            frame[column] = frame[column].astype(str)
    return frame.reset_index(drop=True)


def encoded(frame: pd.DataFrame, train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Numbers standardised by the training rows, categories as dummies. Shape (N, p)."""
    numeric = frame.select_dtypes("number")
    numeric = numeric.fillna(numeric[train].median()).fillna(0.0)
    spread = numeric[train].std().replace(0, 1).fillna(1)
    parts = [((numeric - numeric[train].mean()) / spread).to_numpy(float)]
    text = frame.select_dtypes(exclude="number").astype(str)
    if text.shape[1]:
        parts.append(pd.get_dummies(text).to_numpy(float))
    return np.hstack(parts)


def score(split: Split, outputs: NDArray[np.float64]) -> float:
    """R² over all test rows, or the tasks' mean ROC-AUC."""
    test = ~split.train
    if split.kind == "regression":
        return float(r2_score(split.targets[test], outputs))
    areas = []
    tasks, targets = split.tasks[test], split.targets[test]
    for task in np.unique(tasks):
        mine = tasks == task
        if len(np.unique(targets[mine])) == 2:
            areas.append(roc_auc_score(targets[mine], outputs[mine]))
    return float(np.mean(areas))


def run(split: Split, name: str) -> tuple[NDArray[np.float64], float]:
    """A contestant's outputs on the test rows, and the CPU seconds it took."""
    begin = time.process_time()
    train, test = split.train, ~split.train
    contestant = CONTESTANTS[name](split.kind)
    groups = None if split.groups is None else split.groups[train]
    contestant.fit(split.inputs[train], split.targets[train], split.tasks[train], groups)
    outputs = contestant.predict(split.inputs[test], split.tasks[test])
    return outputs, time.process_time() - begin


def main() -> None:
    """Run what the arguments name and print one line a table and fraction."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--methods", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--fractions", nargs="*", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="a JSON file for all scores")
    arguments = parser.parse_args()
    records = []
    for table in arguments.tables:
        for fraction in arguments.fractions or TABLES[table].fractions:
            cells = []
            splits = [split_table(table, fraction, seed) for seed in range(arguments.seeds)]
            for name in arguments.methods:
                scores, seconds = [], []
                for split in splits:
                    outputs, took = run(split, name)
                    scores.append(score(split, outputs))
                    seconds.append(took)
                record = {"table": table, "fraction": fraction, "method": name, "scores": scores}
                records.append({**record, "seconds": seconds})
                spread = f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}"
                cells.append(f"{name} {spread} ({np.mean(seconds):.1f} s)")
            print(f"{table} {fraction:.0%}: " + "; ".join(cells), flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(records))


if __name__ == "__main__":
    main()
