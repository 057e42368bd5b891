"""The model of a comparison's run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.data.table import read_table
from softshare.evaluation.compare import compare
from softshare.evaluation.jobs.run import measure
from softshare.evaluation.records.division import Splits
from softshare.models.keeping import best_method, keep
from softshare.tasks.preprocessing import prepare
from tests.models.made_tables import FEW, schools

METHODS = ["ridge", "pooled-ridge", "tied"]


def test_a_kept_model_predicts_row_for_row_what_the_comparison_measured() -> None:
    table = schools(rows=20)
    tasks = read_table(table, task="school", target="score", drop=["passed", "grade"])
    found = compare(tasks, methods=METHODS, seeds=2, workers=0, **FEW)
    for name in (*METHODS, "independent"):
        model = keep(found.records, tasks, name)
        (record,) = [each for each in found.records if each["key"] == f"{name}-f1-s0"]
        test_rows = Splits(tasks).of(1.0, 0).test
        test = prepare(tasks, Splits(tasks).of(1.0, 0))[2]
        rows = tasks.source_rows(test_rows)
        told = model.predict(table.iloc[rows])["predicted score"].to_numpy()
        mean, deviation = test.target_scaling[test.task_of].T
        outputs = (told - mean) / deviation
        by_task = [outputs[test.entries(number)][:, None] for number in range(len(test))]
        measured = measure(test, by_task)[0]
        for task, metrics in record["metrics"]["test"].items():
            assert measured[task]["rmse"] == pytest.approx(metrics["rmse"], rel=1e-5)


def test_the_best_is_what_stands_first_or_learns_apart() -> None:
    tasks = read_table(schools(), task="school", target="score", drop=["passed", "grade"])
    found = compare(tasks, methods=METHODS, seeds=2, workers=0, **FEW)
    best = best_method(found.records)
    assert keep(found.records, tasks).method.name == best
    board = found.leaderboard.dropna(subset="gain")
    assert best == board.sort_values("gain")["method"].iloc[-1]


def test_other_data_and_methods_without_a_run_are_refused() -> None:
    tasks = read_table(schools(), task="school", target="score", drop=["passed", "grade"])
    found = compare(tasks, methods=["ridge"], seeds=1, workers=0, **FEW)
    with pytest.raises(ValueError, match="no finished run of 'tied', only of independent, ridge"):
        keep(found.records, tasks, "tied")
    with pytest.raises(ValueError, match="of other data"):
        keep(found.records, replace(tasks, targets=np.roll(tasks.targets, 1)), "ridge")
