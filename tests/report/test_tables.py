"""The report's tables hold what the records hold, a dash where these hold nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from softshare.report import tables
from softshare.report.findings import Findings
from softshare.report.words import NONE, Scale
from tests.evaluation.made_records import record, runs


def made(*, parameters=100, **changes):
    """Findings of three seeds of independent learning and of a method of so many parameters."""
    found = runs({"tied": 0.05}, seeds=3)
    for row in found:
        row |= {"set_metrics": {}, "versions": {"softshare": "1"}, **changes}
        if row["settings"]["method"] == "tied":
            row["parameters"] = parameters
    return Findings(found)


def line(table, name):
    (cells,) = [row for row in table.rows if row[0].text == name]
    return dict(zip(table.heads, (cell.text for cell in cells), strict=True))


def test_parameters_stand_beside_their_ratio_to_learning_apart():
    board = tables.board(made(parameters=25), 1.0)
    assert line(board, "tied")["parameters"] == "25 (0.25×)"
    assert line(board, "independent")["parameters"] == "100 (1.00×)"


def test_a_method_without_parameters_to_count_has_a_dash_and_no_ratio():
    board = tables.board(made(parameters=None), 1.0)
    assert line(board, "tied")["parameters"] == NONE
    assert line(board, "independent")["parameters"] == "100 (1.00×)"


def test_without_learning_apart_there_is_no_ratio():
    alone = Findings([record("tied", 0, {"a": 0.5}, set_metrics={})])
    assert line(tables.board(alone, 1.0), "tied")["parameters"] == "100"


def test_the_baseline_counts_no_tasks_and_others_those_beyond_chance():
    board = tables.board(made(), 1.0)
    assert line(board, "independent")["helped"] == NONE
    assert line(board, "tied")["helped"] == "2"
    assert line(board, "tied")["hurt"] == "0"


@pytest.mark.parametrize(("std", "told"), [(0.004, "0.943 ± 0.004"), (float("nan"), "0.943")])
def test_a_mean_stands_alone_where_there_is_no_deviation(std, told):
    assert tables.spread(0.9431, std, Scale()) == told


def test_metrics_are_means_over_tasks_with_the_deviation_over_seeds():
    found = made()
    table = tables.other_metrics(found)
    values = []
    for row in found.runs("tied"):
        values.append(pd.Series([of["roc_auc"] for of in row["metrics"]["test"].values()]).mean())
    over_seeds = pd.Series(values)
    told = f"{over_seeds.mean():.3f} ± {over_seeds.std():.3f}"
    assert line(table, "tied")["ROC-AUC"] == told


def test_of_very_many_tasks_those_at_the_ends_have_a_row():
    names = [f"t{number:03}" for number in range(tables.MOST_ROWS + 20)]
    found = [record("independent", 0, dict.fromkeys(names, 0.5))]
    for number, name in enumerate(names):
        found[0]["metrics"]["test"][name]["roc_auc"] = 0.5
        found[0]["data"]["tasks"][number]["n_train"] = number
    gains = {name: 0.5 + number / 1000 for number, name in enumerate(names)}
    found.append(record("tied", 0, gains))
    shown = [row[0].text for row in tables.task_gains(Findings(found)).rows]
    half = tables.MOST_ROWS // 2
    assert shown == [*names[: -half - 1 : -1], *names[half - 1 :: -1]]


def test_settings_that_differ_are_told_with_their_methods():
    found = made()
    for row in found.records:
        row["settings"]["steps"] = 20 if row["settings"]["method"] == "tied" else 10
    told = {name.text: value.text for name, value in tables.settings(found).rows}
    assert set(told["steps"].split("; ")) == {"tied: 20", "independent: 10"}
    assert told["seeds"] == "0, 1, 2"
    assert told["softshare"] == "1"
