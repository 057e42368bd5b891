"""Arguments of another kind are refused in one line that names the argument and the remedy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from softshare.evaluation.arguments import asked_methods, every_method, wrong_arguments
from softshare.evaluation.compare import compare
from softshare.methods.named import METHODS, method_named
from softshare.methods.options import wrong_options
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet

TIED = method_named("tied")
TASKS = TaskSet.from_arrays({name: (np.zeros((40, 2)), np.arange(40) % 2) for name in "ab"})


def wrong(**arguments):
    given = {"methods": ["tied"], "fractions": [1.0], "seeds": 2, "workers": 0}
    return wrong_arguments(**{**given, "settings": {"source": "x"}, **arguments})


def test_all_wrong_arguments_are_told_together():
    wrong = wrong_arguments(
        methods=["tuckr"],
        fractions=[2.0],
        seeds=0,
        workers=-1,
        settings={"source": "x", "metric": "auc", "steps": 0},
    )
    assert [argument for argument, _ in wrong] == [
        "methods",
        "seeds",
        "fraction",
        "steps",
        "workers",
        "metric",
    ]


def names(methods):
    return [method.name for method in asked_methods(methods)]


def test_a_text_is_one_name():
    assert names("tied") == names(["tied"]) == ["tied"]
    assert wrong(methods="tied") == []
    ((argument, phrase),) = wrong(methods="tyed")
    assert argument == "methods"
    assert phrase.startswith("no method 'tyed', did you mean tied")


def test_all_is_every_method_and_none_those_that_run_by_default():
    assert names("all") == names(["all"]) == [method.name for method in METHODS]
    assert names(None) == [method.name for method in METHODS if method.default]
    assert every_method("all")
    assert every_method(None)
    assert not every_method("tied")


def test_a_method_may_be_given_itself_but_not_under_another_ones_name():
    own = replace(TIED, name="ours")
    assert asked_methods(["tucker", own]) == (method_named("tucker"), own)
    assert wrong(methods=["tied", own], options={"tied": {}, "ours": {}}) == []
    assert wrong(methods=[TIED]) == []
    usurper = replace(TIED, name="tucker")
    phrase = "'tucker' names another method already, rename yours"
    assert wrong(methods=[usurper]) == [("methods", phrase)]


@pytest.mark.parametrize(("tasks", "shown"), [
    ("x.csv", "'x.csv'"),
    (pd.DataFrame({"a": [1]}), "a DataFrame"),
    (None, "None"),
])  # fmt: skip
def test_what_is_no_task_set_is_refused_with_the_way_to_make_one(tasks, shown):
    with pytest.raises(ValueError, match=r"^tasks: ") as caught:
        compare(tasks)
    told = str(caught.value)
    assert f"must be a TaskSet, got {shown}; make one with softshare.read_table(" in told
    assert "\n" not in told


@pytest.mark.parametrize(("arguments", "message"), [
    ({"methods": [Tied()]}, r"methods: got \[Tied\(.*name them, such as methods=\['tied'\]"),
    ({"methods": Tied()}, r"methods: got Tied\(.*name them, such as methods=\['tied'\]"),
    ({"methods": [1]}, r"methods: got \[1\]; name them"),
    ({"fractions": 0.5}, r"fractions: must be a list of numbers such as .*, got 0.5"),
    ({"fractions": "0.5"}, r"fractions: must be a list of numbers such as .*, got '0.5'"),
    ({"fractions": ["a"]}, r"fractions: must be a list of numbers such as .*, got \['a'\]"),
    ({"seeds": "5"}, r"seeds: must be how many, such as 5, or which, such as .*, got '5'"),
    ({"seeds": 2.5}, r"seeds: must be how many, such as 5, or which, such as .*, got 2.5"),
    ({"seeds": None}, r"seeds: must be how many, such as 5, or which, such as .*, got None"),
    ({"seeds": [0, "1"]}, r"seeds: must be how many, .*, got \[0, '1'\]"),
    ({"options": {"tied": 3}}, r"options: must be a mapping such as .*, got \{'tied': 3\}"),
    ({"search": "many"}, r"search: input should be a valid integer.*, got 'many'"),
])  # fmt: skip
def test_an_argument_of_another_kind_is_named_with_the_remedy(arguments, message):
    with pytest.raises(ValueError, match=rf"^{message}") as caught:
        compare(TASKS, **arguments)
    assert "\n" not in str(caught.value)


def test_wrong_kinds_are_told_together():
    with pytest.raises(ValueError, match=r"methods: .*; fractions: .*; seeds: "):
        compare(TASKS, methods=3, fractions=1, seeds="x")


def test_counts_of_numpy_are_counts():
    assert wrong(seeds=np.int64(3), fractions=np.array([0.5, 1.0])) == []


def test_what_auto_weighs_and_how_long_reach_its_runs_and_are_checked():
    random = np.random.default_rng(0)
    rows = {name: (random.normal(size=(40, 2)), random.normal(size=40)) for name in "ab"}
    tasks = TaskSet.from_arrays(rows)
    arguments = {"methods": ["auto"], "seeds": 1, "workers": 0, "progress": False}
    found = compare(tasks, preset="quick", time_limit=5.0, **arguments)
    options = found.records[0]["settings"]["method_options"]
    assert options == {"preset": "quick", "time_limit": 5.0}
    told = r"auto.preset must be one of quick, .* got 'fast'.*auto.time_limit must be minutes"
    with pytest.raises(ValueError, match=told):
        compare(tasks, preset="fast", time_limit=-1.0, **arguments)


def test_a_shrinkage_may_be_learned_chosen_or_given():
    own = method_named("shared-plus-own")
    for value in ("learned", "cv", 0.05, 2):
        assert wrong_options({own.name: {"shrink": value}}, [own]) == []
