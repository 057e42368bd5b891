"""What an experiment refuses to be."""

from __future__ import annotations

import pytest

from softshare.reproduction.drawings import Dots
from softshare.reproduction.experiment import Published
from tests.reproduction.made_experiment import APART, SHARED, case, experiment


def test_names_are_parts_of_file_names_and_unique():
    with pytest.raises(ValueError, match=r"cases: must be small letters.* got 'Main case'"):
        experiment(cases=(case("Main case"),), published=())
    with pytest.raises(ValueError, match="contestants: 'apart' is there more than once"):
        experiment(contestants=(APART, APART, SHARED))


def test_what_is_named_must_be_there():
    with pytest.raises(ValueError, match="published: there is no 'other'; choose from apart, sh"):
        experiment(published=(Published("main", "other", "error", 1.0),))
    with pytest.raises(ValueError, match="chosen_in: there is no 'first'"):
        experiment(cases=(case(chosen_in="first"),))
    with pytest.raises(ValueError, match="drawings: there is no 'second'; choose from main"):
        experiment(drawings=(Dots("error", case="second"),))


def test_a_quick_run_draws_what_it_has_run():
    both = experiment(
        cases=(case(), case("second")),
        drawings=(Dots("error"), Dots("error", case="second", name="second")),
    )
    assert both.quick([case()]).drawings == (Dots("error"),)


def test_the_baseline_has_as_many_trials_as_anybody():
    with pytest.raises(ValueError, match="the baseline has 1 where another contestant has 2"):
        experiment(contestants=(SHARED, APART))
    with pytest.raises(ValueError, match="say how they are chosen"):
        experiment(search=None)
