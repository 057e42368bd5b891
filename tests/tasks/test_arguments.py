"""Arguments that cannot be right are named at once, in the caller's words."""

from __future__ import annotations

import pickle

from softshare.tasks.arguments import ArgumentError

WRONG = (("kinds", "no such kind"), ("n_tasks", "there are 2"), ("kinds", "no such kind"))


def test_every_problem_is_told_once_by_its_name_in_python() -> None:
    assert str(ArgumentError(*WRONG)) == "kinds: no such kind; n_tasks: there are 2"


def test_other_names_and_what_it_is_about() -> None:
    error = ArgumentError(*WRONG, about="a.csv")
    told = error.told({"kinds": "--kind"})
    assert told == "a.csv: --kind: no such kind; n_tasks: there are 2"


def test_it_comes_back_from_another_process_as_it_was() -> None:
    error = pickle.loads(pickle.dumps(ArgumentError(*WRONG, about="a.csv")))
    assert isinstance(error, ArgumentError)
    assert (error.problems, error.about) == (WRONG[:2], "a.csv")
