"""A search asks the same of every method, and looks at validation data only."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from softshare import evaluation
from softshare.evaluation.select import (
    FINAL_SEEDS,
    FINALISTS,
    SEARCH_SEED,
    runs_of_search,
)
from softshare.methods.named import METHODS, method_named
from softshare.methods.network_method import COMMON_SEARCH_SPACE
from softshare.methods.settings import LEARNING_RATE, RunSettings
from tests.evaluation.made_records import record

pytest.importorskip("optuna")

START = RunSettings(source="x", method="independent", fraction=0.5, seed=0, steps=7, trials=10)


def trial_record(value):
    return record("m", 0, {"a": 0.5}, validation={"a": {"roc_auc": value, "loss": 1.0}})


def searched(methods, judge, start=START):
    """The settings chosen and all that were tried, where ``judge`` gives a trial's value on
    validation data.
    """
    tried = []

    def run_trials(jobs):
        for key, settings in jobs.items():
            tried.append((key, settings))
            value = judge(settings)
            yield key, None if value is None else trial_record(value)

    starts = [replace(start, method=method) for method in methods]
    chosen = evaluation.search.search_settings(METHODS, starts, run_trials)
    return chosen, tried


def test_every_method_has_the_same_number_of_trials_its_defaults_first():
    names = [method.name for method in METHODS]
    chosen, tried = searched(names, lambda settings: 0.5)
    assert set(chosen) == {(name, 0.5) for name in names}
    for name in names:
        own = [settings for _, settings in tried if settings.method == name]
        trials, finals = own[:10], own[10:]
        assert {**method_named(name).options, **own[0].method_options} == method_named(name).options
        assert {settings.seed for settings in trials} == {SEARCH_SEED}
        assert Counter(settings.seed for settings in finals) == dict.fromkeys(
            FINAL_SEEDS, FINALISTS
        )
        assert {settings.steps for settings in own} == {7}
    assert len({key for key, _ in tried}) == runs_of_search(10) * len(names) == 16 * len(names)


@pytest.mark.parametrize("again", [0.1, None])
def test_a_trial_that_was_lucky_on_one_split_does_not_win(again):
    def judge(settings):
        lucky = settings.learning_rate == LEARNING_RATE  # the defaults
        if settings.seed == SEARCH_SEED:
            return 0.9 if lucky else 0.5
        return again if lucky else 0.5

    chosen, tried = searched(["tied"], judge)
    assert tried[0][1].learning_rate == LEARNING_RATE != chosen["tied", 0.5].learning_rate


def test_one_trial_needs_no_final():
    _, tried = searched(["tied"], lambda settings: 0.5, replace(START, trials=1))
    assert len(tried) == runs_of_search(1) == 1


def test_trials_stay_in_the_space_and_the_best_is_chosen():
    chosen, tried = searched(
        ["tucker"],
        lambda settings: (
            -abs(settings.learning_rate - 0.001) - abs(settings.method_options["ranks"] - 0.9)
        ),
    )
    spaces = {**COMMON_SEARCH_SPACE, **method_named("tucker").search_space}
    for _, settings in tried:
        values = {
            "learning_rate": settings.learning_rate,
            "weight_decay": settings.weight_decay,
            **settings.method_options,
        }
        assert set(values) == set(spaces)
        for name, value in values.items():
            low, high, scale = spaces[name]
            assert low <= value <= high if scale in ("log", "linear") else value in spaces[name]
    best = min(
        tried,
        key=lambda row: (
            abs(row[1].learning_rate - 0.001) + abs(row[1].method_options["ranks"] - 0.9)
        ),
    )[1]
    assert chosen["tucker", 0.5] == best


def test_what_the_user_set_is_not_searched_for():
    _, tried = searched(["tied"], lambda settings: 0.5, replace(START, learning_rate=0.123))
    assert {settings.learning_rate for _, settings in tried} == {0.123}
    assert len({settings.weight_decay for _, settings in tried}) > 5


def test_options_that_are_given_are_not_searched_for():
    chosen, tried = searched(
        ["tucker"], lambda settings: 0.5, replace(START, method_options={"ranks": 0.625})
    )
    assert {settings.method_options["ranks"] for _, settings in tried} == {0.625}
    assert len({settings.method_options["task_rank"] for _, settings in tried}) > 5
    assert chosen["tucker", 0.5].searched == (
        "apart",
        "epsilon",
        "learning_rate",
        "task_rank",
        "weight_decay",
    )


def test_the_same_search_makes_the_same_trials():
    first, second = (
        searched(["tucker", "tied"], lambda settings: settings.learning_rate)[1] for _ in range(2)
    )
    assert first == second


def test_failed_trials_are_passed_over_and_all_failed_is_an_error():
    chosen, _ = searched(["tied"], lambda settings: None if settings.learning_rate > 0.001 else 0.5)
    assert chosen["tied", 0.5].learning_rate <= 0.001
    with pytest.raises(ValueError, match="search: every trial of tied diverged or failed"):
        searched(["tied"], lambda settings: None)
