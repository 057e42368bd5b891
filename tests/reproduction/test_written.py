"""Tables, verdicts and figures of made records."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np

from softshare.reproduction.drawings import Bars, Dots, OverCases, OverSteps
from softshare.reproduction.records import RECORDS, read_records
from softshare.reproduction.results import Results, mean_of
from softshare.reproduction.running import run_missing
from softshare.reproduction.tables import verdicts_of
from softshare.reproduction.written import CSV, TABLE, files_of
from tests.reproduction.made_experiment import CLAIM, case, experiment


def made_results(tmp_path, **changes):
    made = experiment(**{"cases": (case(x=1.0),), **changes})
    claims = [CLAIM] if made.cases[0].name == CLAIM.case else []
    run_missing(made, tmp_path, claims=claims, workers=0, progress=False)
    return Results(made, read_records(tmp_path / RECORDS))


def test_the_table_has_mean_and_deviation_beside_the_paper(tmp_path):
    results = made_results(tmp_path)
    values = list(results.values("main", "shared", "error").values())
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    files = files_of(results, {})
    lines = files[TABLE].splitlines()
    assert "|  | error | error: a | error: b | seeds |" in lines
    (row,) = [line for line in lines if line.startswith("| Shared")]
    assert f"| {mean:.2f} ± {deviation:.2f} [1.50] |" in row
    assert row.endswith("| 4 |")
    rows = {
        (row["contestant"], row["measure"]): row for row in csv.DictReader(files[CSV].splitlines())
    }
    assert float(rows["shared", "error"]["mean"]) == float(f"{mean:.6g}")
    assert rows["shared", "by-task/a"]["published"] == ""


def test_a_verdict_is_written_with_its_interval(tmp_path):
    results = made_results(tmp_path)
    told = verdicts_of({CLAIM: results.verdict(CLAIM)})
    assert "**holds, smaller (control not run)**" in told
    assert "+9.00 (excluded)" in told
    assert "(of 4)" in told


def test_what_was_chosen_stands_beside_what_it_was_chosen_from(tmp_path):
    results = made_results(tmp_path)
    choice = results.choice("main", "apart")
    assert choice.candidate == "near"
    assert choice.means["near"] < choice.means["far"]
    row = f"| main | Apart | far {choice.means['far']:.2f}, **near {choice.means['near']:.2f}** |"
    assert row in files_of(results, {})[TABLE].splitlines()
    assert results.choice("main", "shared") is None


def test_a_candidate_that_diverged_under_a_seed_has_no_mean():
    assert mean_of([1.0, 3.0]) == 2.0
    assert mean_of([1.0, None]) is None
    assert mean_of([]) is None


def test_figures_are_the_same_whenever_they_are_drawn(tmp_path):
    drawings = (
        Dots("error"),
        OverCases("error", axis="rows", name="cases"),
        OverSteps("train_loss", "loss", name="steps"),
        Bars("by-task", name="tasks"),
    )
    results = made_results(tmp_path, drawings=drawings)
    first, second = files_of(results, {}), files_of(results, {})
    assert first == second
    assert {f"{each.name}.svg" for each in drawings} < set(first)
    assert "Shared" in first["figure.svg"]  # text stays text


def test_a_logarithmic_axis_is_told_in_plain_numbers(tmp_path):
    """Within a decade too, where matplotlib writes powers of ten as formulas at every step."""
    drawings = (
        OverCases("error", axis="images, %", logarithmic=True),
        OverSteps("train_loss", "loss", logarithmic=True, name="steps"),
    )
    cases = tuple(case(f"case-{x:g}", x=x) for x in (0.5, 1.0))
    results = made_results(tmp_path, drawings=drawings, cases=cases, published=())
    files = files_of(results, {})
    assert ">0.5<" in files["figure.svg"]
    assert ">1<" in files["figure.svg"]
    for drawn in drawings:
        assert "mathdefault" not in files[f"{drawn.name}.svg"]


def test_made_examples_and_reductions_are_told(tmp_path):
    results = made_results(tmp_path, protocol="reduced", departures=("Fewer steps.",))
    assert "Reduced protocol. Fewer steps." in files_of(results, {})[TABLE]
    made = [{**record, "is_made": True} for record in results.records]
    assert "Made examples" in files_of(replace(results, records=made), {})[TABLE]
