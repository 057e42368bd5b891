"""A method is one value: a comparison that is given it runs it, and its report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from softshare.evaluation.compare import compare
from softshare.methods.method import Learned, Method
from softshare.report.page import write_report
from softshare.tasks.task_set import TaskSet


class Means(Learned):
    """Every task's mean target, the same for all its rows."""

    def __init__(self, means):
        self.means = means

    def predict(self, tasks):
        counts = tasks.n_examples
        return [np.full((count, 1), mean) for count, mean in zip(counts, self.means, strict=True)]

    @property
    def n_parameters(self):
        return len(self.means)


@dataclass(frozen=True)
class MeanOfTask(Method):
    """Predicts the mean of the training targets, moved by an option."""

    name: str = "mean-of-task"
    shares: str = "nothing"
    paper: str = "none"
    options: Mapping[str, Any] = field(default_factory=lambda: {"shift": 0.0})
    search_space: Mapping[str, Any] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()
    default: bool = False

    def learn(self, train, validation, settings, *, watch=False):
        shift = self.option(settings, "shift")
        numbers = range(len(train))
        return Means([train.targets[train.entries(number)].mean() + shift for number in numbers])

    def unsuitable(self, tasks):
        return None if all(task.kind == "regression" for task in tasks.tasks) else "not numbers"


@pytest.fixture
def tasks():
    random = np.random.default_rng(0)
    arrays = {name: random.normal(size=(60, 3)) for name in ("north", "south")}
    return TaskSet.from_arrays({name: (rows, rows.sum(axis=1)) for name, rows in arrays.items()})


def test_a_new_method_goes_through_a_comparison_and_its_report(tasks, tmp_path):
    methods = [MeanOfTask(), "tied"]
    comparison = compare(tasks, methods=methods, seeds=3, steps=5, workers=0, out=tmp_path)
    assert set(comparison.summary["method"]) == {"independent", "tied", "mean-of-task"}
    board = comparison.leaderboard.set_index("method")
    assert board.loc["mean-of-task", "parameters"] == 2
    assert "mean-of-task" in write_report(tmp_path).read_text(encoding="utf-8")


def test_its_options_are_checked_and_reach_it(tasks):
    arguments = {"methods": [MeanOfTask()], "seeds": 1, "steps": 5, "workers": 0}
    usual = compare(tasks, **arguments).summary
    moved = compare(tasks, options={"mean-of-task": {"shift": 9.0}}, **arguments).summary
    own = usual["method"] == "mean-of-task"
    assert not np.allclose(usual.loc[own, "mean"], moved.loc[own, "mean"])
    with pytest.raises(ValueError, match=r"mean-of-task: no option 'shft', did you mean shift"):
        compare(tasks, options={"mean-of-task": {"shft": 9.0}}, **arguments)


def test_it_says_itself_which_tasks_it_suits():
    labels = TaskSet.from_arrays({name: (np.zeros((40, 2)), np.arange(40) % 2) for name in "ab"})
    with pytest.raises(ValueError, match=r"methods: mean-of-task cannot apply .*not numbers"):
        compare(labels, methods=[MeanOfTask()], workers=0)
