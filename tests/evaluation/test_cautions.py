"""Cautions name what the sentence leaves out: few seeds and rows, harm, runs that went wrong."""

from __future__ import annotations

import pytest

from softshare.evaluation.cautions import cautions
from tests.evaluation.made_records import record, runs


def trained(method, seed, losses, *, steps=30):
    """A record of a run whose validation losses after 0, 10, 20, ... steps were these."""
    curve = [
        {"step": 10 * number, "train_loss": None, "validation_loss": loss}
        for number, loss in enumerate(losses)
    ]
    made = record(method, seed, {"a": 0.5 + 0.01 * seed}, curve=curve)
    made["settings"]["steps"] = steps
    return made


def about_steps(records):
    return [line for line in cautions(records) if "last step" in line]


def test_few_seeds_are_told():
    (line,) = cautions(runs({"tied": 0.05}, seeds=1))
    assert line.startswith("1 seed gives a direction, no more; 3 give intervals")


def test_tasks_of_few_test_rows_are_named():
    records = runs({"tied": 0.05})
    for row in records:
        row["data"]["tasks"][1]["n_test"] = 3
    (line,) = cautions(records)
    assert line == (
        "1 task with fewer than 10 test rows: what is said of each is a direction, no more (b)"
    )


def test_hurt_tasks_are_named_the_worst_first():
    records = runs({"tied": 0.0}, tasks=("a", "b", "c"))
    for row in records[5:]:
        row["metrics"]["test"]["b"]["roc_auc"] -= 0.02
        row["metrics"]["test"]["c"]["roc_auc"] -= 0.05
    (line,) = cautions(records)
    assert line.startswith("tied hurts all tasks together, by 2.3 points of ROC-AUC [")
    assert "; and 2 of 3 tasks: c (−5.0 points of ROC-AUC [" in line
    assert line.index("c (") < line.index("b (")


def test_of_many_tasks_it_is_said_what_chance_would_show():
    tasks = [f"t{number}" for number in range(40)]
    assert (
        "40 of 40 tasks (chance alone would show about 1)"
        in cautions(runs({"tied": -0.1}, tasks=tasks))[0]
    )


@pytest.mark.parametrize(
    ("metric", "value", "is_told"),
    [
        ("rmse", 0.006, True),
        ("rmse", 0.2, False),
        ("r2", 0.9996, True),
        ("r2", 0.97, False),
    ],
)
def test_what_is_too_good_is_told(metric, value, is_told):
    records = [
        record(method, 0, {"a": value, "b": value}, metric=metric)
        for method in ("independent", "auto")
    ]
    for row in records:
        row["settings"]["inputs"] = "vector"
    told = [line for line in cautions(records) if "nearly perfect" in line]
    assert len(told) == is_told
    assert all(line.startswith("independent and auto: ") for line in told)


def test_diverged_runs_are_told():
    records = [
        *runs({"tied": 0.0}),
        record("tied", 9, {"a": None, "b": None}, error="the loss became nan"),
    ]
    assert "1 of 11 runs diverged and are left out: tied-f1-s9 (the loss became nan)" in cautions(
        records
    )


IMPROVING = [0.9, 0.7, 0.6, 0.5]
PASSED = [0.9, 0.5, 0.6, 0.7]


def test_a_method_that_mostly_stopped_while_improving_is_told_with_the_steps():
    records = [trained("tied", seed, IMPROVING) for seed in range(2)]
    records += [trained("tied", 2, PASSED)]
    records += [trained("independent", seed, PASSED) for seed in range(3)]
    assert about_steps(records) == [
        "tied: in most runs the last step was the best on what was held out; more steps may tell "
        "otherwise, set steps above 30"
    ]


@pytest.mark.parametrize(("losses", "steps"), [
    (PASSED, 30),  # the best came before
    (IMPROVING, 100),  # ended by patience
    ([0.9, 0.7, 0.5, 0.5], 30),  # nothing was gained at last
    ([None, None, None, None], 30),  # nothing was held out
    ([None, None, None, 0.5], 30),  # nothing to compare with
    ([], 30),  # nothing steps
])  # fmt: skip
def test_a_run_that_had_steps_enough_is_not_told(losses, steps):
    records = [trained("tied", seed, losses, steps=steps) for seed in range(3)]
    assert about_steps(records) == []


def test_half_of_the_runs_are_not_most():
    records = [trained("tied", 0, IMPROVING), trained("tied", 1, PASSED)]
    assert about_steps(records) == []


def test_several_such_methods_have_one_line():
    methods = ("tied", "tucker")
    records = [trained(method, seed, IMPROVING) for method in methods for seed in range(3)]
    (line,) = about_steps(records)
    assert line.startswith("tied and tucker: ")


def test_versions_that_differ_are_told_in_one_line():
    records = runs({"tied": 0.1}, seeds=5)
    assert not [line for line in cautions(records) if "versions" in line]
    for number, each in enumerate(records):
        each["versions"] = {"softshare": "0.1.0", "torch": "2.6.0" if number < 3 else "2.7.0"}
    (line,) = [line for line in cautions(records) if "versions" in line]
    assert line.startswith(
        "the runs were made by several versions of torch (2.6.0 in 3, 2.7.0 in 7)"
    )
