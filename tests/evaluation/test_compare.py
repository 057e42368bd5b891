"""A comparison runs what is missing, keeps what is done, and loses nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import fmean

import numpy as np
import pandas as pd
import pytest

from softshare.evaluation.compare import compare
from softshare.evaluation.plan import fractions_of_parts
from softshare.evaluation.records.split_files import read_split, split_path
from softshare.evaluation.statistics import COLUMNS, summarise
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from tests.evaluation import stub_run


@pytest.fixture
def tasks():
    random = np.random.default_rng(0)
    return TaskSet.from_arrays(
        {name: (random.normal(size=(60, 3)), np.arange(60) % 2) for name in ("north", "south")}
    )


@pytest.fixture
def ran(monkeypatch):
    """Keys of the runs made, in their order."""
    keys = []

    def run(tasks, settings, split, method=None):
        keys.append(settings.key)
        return stub_run.run(tasks, settings, split)

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    return keys


def compared(tasks, out=None, **arguments):
    return compare(
        tasks, **{"methods": ["tied"], "seeds": 3, "workers": 0, "out": out, **arguments}
    )


def snapshot(folder):
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_folder_holds_a_record_of_every_run_its_split_and_the_summary(tasks, tmp_path, ran):
    comparison = compared(tasks, tmp_path, fractions=[0.5, 1.0])
    keys = [
        f"{method}-f{fraction}-s{seed}"
        for method in ("independent", "tied")
        for fraction in ("0.5", "1")
        for seed in range(3)
    ]
    assert (
        sorted(ran)
        == sorted(keys)
        == sorted(path.stem for path in (tmp_path / "records").iterdir())
    )
    for path in (tmp_path / "records").iterdir():
        record = json.loads(path.read_text())
        settings = record["settings"]
        kept = read_split(split_path(tmp_path, record["split"]), tasks)
        parts = fractions_of_parts(tasks)
        asked = split(
            tasks,
            seed=settings["seed"],
            fractions=parts,
            train_fraction=settings["fraction"],
        )
        assert kept.digest() == asked.digest()
        assert record["parameters"] == len(kept.train)
    assert len(list((tmp_path / "splits").iterdir())) == 6
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "summary.csv"), comparison.summary, check_dtype=False
    )
    assert tuple(comparison.summary.columns) == COLUMNS
    assert comparison.answer.startswith("Learning together beats learning apart by ")


def test_run_again_it_changes_nothing(tasks, tmp_path, ran):
    compared(tasks, tmp_path)
    before = snapshot(tmp_path)
    ran.clear()
    assert compared(tasks, tmp_path).answer
    assert ran == []
    assert snapshot(tmp_path) == before


def test_only_what_is_missing_is_run(tasks, tmp_path, ran):
    compared(tasks, tmp_path, seeds=2)
    ran.clear()
    (tmp_path / "records" / "tied-f1-s0.json").unlink()
    compared(tasks, tmp_path, seeds=3)
    assert ran == ["tied-f1-s0", "independent-f1-s2", "tied-f1-s2"]


def test_records_of_other_settings_or_data_are_not_mixed(tasks, tmp_path, ran):
    compared(tasks, tmp_path, steps=10)
    before = snapshot(tmp_path)
    with pytest.raises(
        ValueError,
        match=r"holds records of other settings \(steps was 10 and is 20\); choose another folder",
    ):
        compared(tasks, tmp_path, steps=20)
    with pytest.raises(ValueError, match="the data were others"):
        compared(tasks.select(np.arange(100)), tmp_path, steps=10)
    assert snapshot(tmp_path) == before


def test_options_reach_their_method_and_keep_its_records_apart(tasks, tmp_path, ran):
    arguments = {"methods": ["tucker", "tied"], "seeds": 1}
    found = compared(tasks, tmp_path, options={"tucker": {"ranks": 0.5}}, **arguments)
    given = {
        record["settings"]["method"]: record["settings"]["method_options"]
        for record in found.records
    }
    assert given == {"independent": {}, "tied": {}, "tucker": {"ranks": 0.5}}
    for options, phrase in (({}, "the default"), ({"tucker": {"ranks": 1}}, "1")):
        with pytest.raises(
            ValueError, match=rf"other settings \(tucker.ranks was 0.5 and is {phrase}\)"
        ):
            compared(tasks, tmp_path, options=options, **arguments)
    ran.clear()
    compared(tasks, tmp_path, methods=["tied"], seeds=2)
    assert ran == ["independent-f1-s1", "tied-f1-s1"]


def test_a_search_takes_given_options_and_goes_on_from_its_trials(tasks, tmp_path, ran):
    pytest.importorskip("optuna")
    arguments = {"methods": ["tucker"], "search": 5, "options": {"tucker": {"ranks": 0.5}}}
    compared(tasks, tmp_path, seeds=1, **arguments)
    trials = [
        json.loads(path.read_text())["settings"] for path in (tmp_path / "trials").glob("tucker*")
    ]
    assert {trial["method_options"]["ranks"] for trial in trials} == {0.5}
    ran.clear()
    compared(tasks, tmp_path, seeds=2, **arguments)
    assert ran == ["independent-f1-s1", "tucker-f1-s1"]
    with pytest.raises(ValueError, match=r"tucker.ranks was 0.5 and is the default"):
        compared(tasks, tmp_path, seeds=2, **{**arguments, "options": {}})


def test_without_a_folder_nothing_is_written(tasks, tmp_path, ran, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(compared(tasks).records) == 6
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments_start_nothing(tasks, tmp_path, ran):
    with pytest.raises(ValueError, match=r"tuckr.*steps"):
        compared(tasks, tmp_path / "out", methods=["tuckr"], steps=-1)
    assert ran == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_raises_is_told_and_loses_no_other(tasks, tmp_path, monkeypatch):
    def run(tasks, settings, split, method=None):
        if settings.key == "tied-f1-s1":
            raise MemoryError("made by the test")
        return stub_run.run(tasks, settings, split)

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    comparison = compared(tasks, tmp_path)
    assert {key: str(error) for key, error in comparison.failures.items()} == {
        "tied-f1-s1": "made by the test"
    }
    assert len(comparison.records) == 5 == len(list((tmp_path / "records").iterdir()))
    monkeypatch.setattr("softshare.evaluation.compare.run", stub_run.run)
    assert len(compared(tasks, tmp_path).records) == 6


def test_where_all_runs_raise_so_does_the_comparison(tasks, monkeypatch):
    def run(tasks, settings, split, method=None):
        raise ZeroDivisionError("made by the test")

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    with pytest.raises(ZeroDivisionError, match="made by the test"):
        compared(tasks)


def test_an_interrupt_keeps_the_runs_that_are_done(tasks, tmp_path, monkeypatch):
    def run(tasks, settings, split, method=None):
        if settings.seed == 1:
            raise KeyboardInterrupt
        return stub_run.run(tasks, settings, split)

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    with pytest.raises(KeyboardInterrupt):
        compared(tasks, tmp_path)
    assert sorted(path.stem for path in (tmp_path / "records").iterdir()) == [
        "independent-f1-s0",
        "tied-f1-s0",
    ]


def test_the_watcher_is_told_of_every_run(tasks, tmp_path, ran):
    compared(tasks, tmp_path, seeds=1)
    moments = []
    compared(tasks, tmp_path, seeds=2, progress=moments.append)
    assert [(moment.done, moment.total, moment.running) for moment in moments] == [
        (0, 2, ("independent-f1-s1",)),
        (1, 2, ("tied-f1-s1",)),
        (2, 2, ()),
    ]
    assert moments[0].seconds_left is None
    assert moments[2].seconds_left == 0
    assert [moment.finished.key for moment in moments[1:]] == ["independent-f1-s1", "tied-f1-s1"]


def test_a_search_gives_every_method_the_same_trials_and_uses_the_best(tasks, tmp_path, ran):
    pytest.importorskip("optuna")
    compared(tasks, tmp_path, search=6, fractions=[0.5, 1.0])
    trials = [json.loads(path.read_text()) for path in (tmp_path / "trials").iterdir()]
    assert len(trials) == (6 + 3 * 2) * 2 * 2  # three finalists on two more splits
    seeds = {trial["settings"]["seed"] for trial in trials}
    assert len(seeds) == 3
    assert not seeds & {0, 1, 2}
    for method in ("independent", "tied"):
        for fraction in (0.5, 1.0):
            own = [
                trial
                for trial in trials
                if (trial["settings"]["method"], trial["settings"]["fraction"])
                == (method, fraction)
            ]
            by_trial: dict[str, list[dict]] = defaultdict(list)
            for trial in own:
                by_trial[trial["key"].split("-trial")[1].split("-")[0]].append(trial)
            finalists = [same for same in by_trial.values() if len(same) == 3]
            best = max(
                finalists,
                key=lambda same: fmean(
                    trial["metrics"]["validation"]["north"]["roc_auc"] for trial in same
                ),
            )[0]["settings"]
            runs = [
                json.loads(
                    (tmp_path / "records" / f"{method}-f{fraction:g}-s{seed}.json").read_text()
                )["settings"]
                for seed in range(3)
            ]
            for name in ("learning_rate", "weight_decay", "method_options"):
                assert [run[name] for run in runs] == [best[name]] * 3


def test_a_search_is_the_same_when_it_goes_on_after_a_stop(tasks, tmp_path, ran):
    pytest.importorskip("optuna")
    compared(tasks, tmp_path / "whole", search=9)
    compared(tasks, tmp_path / "stopped", search=9)
    for name in ("records/tied-f1-s2.json", "trials/tied-f1-trial7.json"):
        (tmp_path / "stopped" / name).unlink()
    ran.clear()
    compared(tasks, tmp_path / "stopped", search=9)
    assert len(ran) == 2
    texts = [
        {path.name: path.read_text() for path in (tmp_path / name).rglob("*.json")}
        for name in ("whole", "stopped")
    ]
    assert texts[0] == texts[1]


def test_runs_in_another_process_give_what_runs_here_give(tasks, tmp_path):
    arguments = {"methods": ["tied"], "seeds": 1, "steps": 3, "hidden": [4]}
    here = compare(tasks, workers=0, **arguments)
    there = compare(tasks, workers=1, out=tmp_path, **arguments)
    pd.testing.assert_frame_equal(here.summary, there.summary)
    assert [record["curve"] for record in here.records] == [
        record["curve"] for record in there.records
    ]
    pd.testing.assert_frame_equal(summarise(there.records), there.summary)
