"""The table that comes with the package."""

from __future__ import annotations

from softshare.data.load import load
from softshare.data.named import default_fraction


def test_the_schools_are_those_of_the_book() -> None:
    tasks = load("schools")
    assert (len(tasks), len(tasks.rows)) == (160, 7185)
    assert {task.kind for task in tasks.tasks} == {"regression"}
    assert tasks.one_unit
    assert round(float(tasks.targets.mean()), 2) == 12.75  # table 4.1 of the book


def test_about_ten_pupils_of_a_school_train_by_default() -> None:
    tasks = load("schools")
    of_a_school = 0.8 * len(tasks.rows) / len(tasks)
    assert 8 <= default_fraction("schools") * of_a_school <= 12
