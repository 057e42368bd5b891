"""Runs, their records, and what goes on where something was stopped or changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from softshare.reproduction.division import ByCount
from softshare.reproduction.experiment import Budget, Search
from softshare.reproduction.records import RECORDS, TRIALS, read_records
from softshare.reproduction.results import Results
from softshare.reproduction.running import run_missing
from softshare.reproduction.same_runs import runs_of_others
from softshare.reproduction.task_data import FromFiles
from tests.reproduction.made_experiment import (
    APART,
    CLAIM,
    MEASURES,
    SHARED,
    MovedMean,
    case,
    experiment,
    squared_errors,
)

TIMES = ("seconds", "cpu_seconds")


def run(made, out, **arguments):
    return run_missing(made, out, workers=0, progress=False, **arguments)


def results(made, out):
    return Results(made, read_records(out / RECORDS))


def untimed(record):
    return {name: value for name, value in record.items() if name not in TIMES}


def test_all_runs_are_made_and_candidates_chosen_on_draws_that_are_not_reported(tmp_path):
    made = experiment()
    assert run(made, tmp_path, claims=[CLAIM]) == {}
    records = read_records(tmp_path / RECORDS)
    assert len(records) == 2 * (4 + 3)
    trials = read_records(tmp_path / TRIALS)
    assert {record["seed"] for record in trials} == {100, 101}
    assert {record["data"]["examples"]["test"] for record in trials} == {0}
    of_baseline = [record for record in records if record["contestant"] == "apart"]
    assert {record["candidate"] for record in of_baseline} == {"near"}  # moved by 2, not by 3
    scores = of_baseline[0]["choice"]["scores"]
    assert all(near < far for near, far in zip(scores["near"], scores["far"], strict=True))


@dataclass(frozen=True)
class WithoutValidation(MovedMean):
    def learn(self, train, validation, settings, *, watch=False):
        assert validation.n_examples.tolist() == [0, 0]
        return super().learn(train, validation, settings)


def test_candidates_can_be_judged_on_examples_that_are_in_no_part(tmp_path):
    with_rest = case(division=ByCount(10, most_test=20), seeds=1)
    search = Search("error", seeds=(100,), spare=6)
    methods = {"far": WithoutValidation(moved=3.0), "near": WithoutValidation(moved=2.0)}
    made = experiment(
        cases=(with_rest,), search=search, contestants=(replace(APART, method=methods), SHARED)
    )
    assert run(made, tmp_path) == {}
    examples = [record["data"]["examples"] for record in read_records(tmp_path / TRIALS)]
    assert examples == [{"train": 10, "validation": 6, "test": 0}] * 2


def test_a_case_can_take_the_choice_of_another(tmp_path):
    second = case("second", chosen_in="main", seeds=1)
    made = experiment(cases=(case(seeds=1), second))
    run(made, tmp_path)
    assert {record["case"] for record in read_records(tmp_path / TRIALS)} == {"main"}
    chosen = results(made, tmp_path).of("second", "apart")[0]
    assert (chosen["candidate"], chosen["choice"]["case"]) == ("near", "main")


def test_what_is_there_is_not_run_again_and_what_is_missing_is_made_the_same(tmp_path):
    made = experiment()
    run(made, tmp_path)
    path = tmp_path / RECORDS / "main--shared-s2.json"
    others = {each: each.stat().st_mtime_ns for each in path.parent.iterdir() if each != path}
    (before,) = [each for each in read_records(path.parent) if each["key"] == path.stem]
    path.unlink()
    run(made, tmp_path)
    (after,) = [each for each in read_records(path.parent) if each["key"] == path.stem]
    assert untimed(after) == untimed(before)
    assert all(each.stat().st_mtime_ns == time for each, time in others.items())


def test_seeds_and_cases_can_be_chosen(tmp_path):
    made = experiment()
    run(made, tmp_path, seeds=2, cases=["unrelated"])
    found = results(made, tmp_path)
    assert not found.of("main", "shared")
    assert list(found.of("unrelated", "shared")) == [0, 1]
    run(made, tmp_path, seeds=5)  # more than planned: of the case that has the most
    found = results(made, tmp_path)
    assert len(found.of("main", "shared")) == 5
    assert len(found.of("unrelated", "shared")) == 3
    with pytest.raises(ValueError, match="no case 'other'; choose from main, unrelated"):
        run(made, tmp_path, cases=["other"])


def test_records_of_another_version_are_neither_mixed_nor_counted(tmp_path):
    run(experiment(), tmp_path)
    changed = experiment(contestants=(APART, replace(SHARED, method=MovedMean(moved=0.1))))
    with pytest.raises(ValueError, match=r"another version of made/table-1: main--shared-s0.*more"):
        run(changed, tmp_path)
    found = results(changed, tmp_path)
    assert found.outdated == 7
    assert not found.of("main", "shared")
    assert len(found.of("main", "apart")) == 4


def test_quick_runs_are_not_mixed_with_others_and_serve_no_claim(tmp_path):
    quick = experiment().quick([case(seeds=1)])
    run(quick, tmp_path, claims=[CLAIM])
    assert all(record["claims"] == {} for record in read_records(tmp_path / RECORDS))
    with pytest.raises(ValueError, match="another version"):
        run(experiment(), tmp_path)


def test_a_run_that_diverges_has_a_record_and_one_that_fails_is_told(tmp_path):
    diverging = replace(SHARED, method=MovedMean(diverges=True))
    broken = replace(SHARED, name="broken", method=MovedMean(breaks_at=1))
    made = experiment(contestants=(APART, diverging, broken), cases=(case(),))
    failures = run(made, tmp_path)
    assert list(failures) == ["main--broken-s1"]
    found = results(made, tmp_path)
    assert list(found.of("main", "broken")) == [0, 2, 3]
    assert not found.of("main", "shared")
    (told, *_) = [r for r in found.records if r["contestant"] == "shared"]
    assert (told["error"], told["measures"]) == ("the loss became nan", {})


class Absent:
    name = "far-away"
    missing = ("images",)


def test_runs_that_another_place_has_made_are_taken_over(tmp_path):
    """The same data, budget and candidates: no run of it is made, and its claims are served."""
    run(experiment(), tmp_path / "table-1", claims=[])
    broken = replace(SHARED, name="more", method=MovedMean(moved=0.1))
    again = experiment(
        name="made/figure-1",
        cases=(case(seeds=2), case("second", chosen_in="main", seeds=1)),
        contestants=(APART, SHARED, broken),
        measures=MEASURES[:1],
        same_runs=(experiment(),),
    )
    out = tmp_path / "figure-1"
    claim = replace(CLAIM, id="made/figure-1/shared", seeds=2)
    run(again, out, claims=[claim])
    taken = {each["key"]: each for each in read_records(tmp_path / "table-1" / RECORDS)}
    found = {each["key"]: each for each in read_records(out / RECORDS)}
    for key in ("main--shared-s1", "main--apart-s0"):
        assert found[key]["seconds"] == taken[key]["seconds"]
        assert found[key]["measures"] == {"error": taken[key]["measures"]["error"]}
        assert found[key]["choice"] == taken[key]["choice"]
        assert found[key]["taken_from"] == "made/table-1"
        assert list(found[key]["claims"]) == [claim.id]
    assert len(found) == 2 * 3 + 3
    assert results(again, out).outdated == 0
    assert results(again, out).verdict(claim).gain.n_seeds == 2
    of_main = {
        f"main--apart-try-{name}-s{seed}" for name in APART.candidates for seed in (100, 101)
    }
    assert {each["key"] for each in read_records(out / TRIALS)} == of_main
    run(again, out, claims=[claim])  # and again: they are as good as its own


def test_a_damaged_record_of_another_place_is_made_again_here(tmp_path):
    run(experiment(), tmp_path / "table-1")
    path = tmp_path / "table-1" / RECORDS / "main--shared-s0.json"
    path.write_text(path.read_text().replace('"seed":0', '"seed":1'))
    again = experiment(name="made/figure-1", same_runs=(experiment(),))
    assert run(again, tmp_path / "figure-1") == {}
    found = read_records(tmp_path / "figure-1" / RECORDS)
    assert len(found) == 2 * (4 + 3)
    assert not any("taken_from" in record for record in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"cases": (case(division=ByCount(11)),)},
        {"cases": (case(budget=Budget(steps=6)),)},
        {"search": Search("error", seeds=(100, 102))},
        {
            "contestants": (
                replace(APART, method={**APART.method, "far": MovedMean(moved=4.0)}),
                SHARED,
            )
        },
        {"measures": (replace(MEASURES[0], of=squared_errors), MEASURES[1])},
    ],
    ids=["division", "budget", "search", "candidates", "measure"],
)
def test_no_run_of_another_place_that_differs_is_taken_over(tmp_path, changes):
    run(experiment(), tmp_path / "table-1")
    again = experiment(**{"name": "made/figure-1", "same_runs": (experiment(),), **changes})
    taken = [made for made, _ in runs_of_others(again, tmp_path / "figure-1")]
    assert [
        made
        for made in taken
        if (made.case, made.contestant, made.is_trial) == ("main", "apart", False)
    ] == []


def test_missing_files_are_told_before_anything_runs(tmp_path):
    made = experiment(cases=(case(data=FromFiles((Absent(),), load=dict)),))
    with pytest.raises(ValueError, match="made/table-1 needs far-away, not found"):
        run(made, tmp_path)
    assert not (tmp_path / RECORDS).exists()


def test_a_damaged_record_is_named(tmp_path):
    made = experiment()
    run(made, tmp_path)
    path = tmp_path / RECORDS / "main--shared-s0.json"
    path.write_text(path.read_text().replace('"seed":0', '"seed":1'))
    with pytest.raises(ValueError, match=r"main--shared-s0\.json .*does not fit its digest"):
        run(made, tmp_path)


def test_a_claim_that_was_changed_after_the_runs_has_no_records(tmp_path):
    made = experiment()
    run(made, tmp_path, claims=[CLAIM])
    found = results(made, tmp_path)
    verdict = found.verdict(CLAIM)
    assert verdict.ruling == "holds, smaller"  # about 2² − .5²: 3.75, and 9 was claimed
    assert verdict.gain.n_seeds == 4
    changed = found.verdict(replace(CLAIM, smallest=0.1))
    assert (changed.ruling, changed.not_counted) == ("no records", 8)


def test_a_control_that_gains_condemns(tmp_path):
    made = experiment()
    claim = replace(CLAIM, control="unrelated")
    run(made, tmp_path, claims=[claim])
    assert results(made, tmp_path).verdict(claim).ruling == "condemned by its control"


def test_a_bound_takes_the_place_of_a_baseline(tmp_path):
    made = experiment()
    bound = replace(CLAIM, baseline=None, bound=4.0, smallest=0.0, published=None)
    run(made, tmp_path, claims=[bound])
    found = results(made, tmp_path)
    gains = found.gains(bound, "main")
    values = found.values("main", "shared", "error")
    assert gains == {seed: 4.0 - value for seed, value in values.items()}
    assert found.verdict(bound).ruling == "holds"
