"""A small experiment on made tasks, whose methods only move each task's mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softshare.methods.method import Learned, Method
from softshare.reproduction.claims import Claim
from softshare.reproduction.division import ByCount
from softshare.reproduction.drawings import Dots
from softshare.reproduction.experiment import (
    Budget,
    Case,
    Contestant,
    Experiment,
    Published,
    Search,
)
from softshare.reproduction.measures import Judged, Measure
from softshare.reproduction.task_data import Drawn
from softshare.tasks.task_set import TaskSet


class Means(Learned):
    def __init__(self, means):
        self.means = means

    def predict(self, tasks):
        counts = tasks.n_examples
        return [np.full((count, 1), mean) for count, mean in zip(counts, self.means, strict=True)]

    @property
    def n_parameters(self):
        return len(self.means)


@dataclass(frozen=True)
class MovedMean(Method):
    """Predicts the mean of the training targets, moved."""

    name: str = "mean"
    moved: float = 0.0
    diverges: bool = False
    breaks_at: int | None = None
    shares: str = "nothing"
    paper: str = "none"
    options: Mapping[str, Any] = field(default_factory=dict)
    search_space: Mapping[str, Any] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()
    default: bool = False

    def learn(self, train, validation, settings, *, watch=False):
        if self.diverges:
            raise FloatingPointError("the loss became nan")
        if settings.seed == self.breaks_at:
            raise ZeroDivisionError("a fault of the method")
        numbers = range(len(train))
        return Means([train.targets[train.entries(t)].mean() + self.moved for t in numbers])

    def unsuitable(self, tasks):
        return None


def draw(seed: int) -> TaskSet:
    """Two tasks of 40 numbers each."""
    random = np.random.default_rng(seed)
    data = {name: (random.normal(size=(40, 2)), random.normal(size=40)) for name in ("a", "b")}
    return TaskSet.from_arrays(data)


def draw_unrelated(seed: int) -> TaskSet:
    return draw(1000 + seed)


def squared_errors(judged: Judged) -> dict[str, float]:
    """Every task's mean squared error."""
    pairs = zip(judged.judged.tasks, judged.outputs, judged.targets, strict=True)
    return {task.label: float(((rows[:, 0] - y) ** 2).mean()) for task, rows, y in pairs}


def squared_error(judged: Judged) -> float:
    return float(np.mean(list(squared_errors(judged).values())))


def case(name: str = "main", **changes: Any) -> Case:
    given = {
        "data": Drawn(draw),
        "division": ByCount(10),
        "budget": Budget(steps=5),
        "seeds": 4,
        **changes,
    }
    return Case(name, **given)


APART = Contestant("apart", {"far": MovedMean(moved=3.0), "near": MovedMean(moved=2.0)}, "Apart")
SHARED = Contestant("shared", MovedMean(moved=0.5), "Shared")
MEASURES = (
    Measure("error", squared_error, "error", better="lower"),
    Measure("by-task", squared_errors, "error", better="lower"),
)


def experiment(**changes: Any) -> Experiment:
    given = {
        "name": "made/table-1",
        "paper": "Nobody, never",
        "place": "Table 1",
        "shows": "that it works.",
        "protocol": "full",
        "departures": (),
        "minutes": 0.1,
        "cases": (case(), case("unrelated", data=Drawn(draw_unrelated), seeds=3)),
        "contestants": (APART, SHARED),
        "measures": MEASURES,
        "published": (Published("main", "shared", "error", 1.5),),
        "search": Search("error", seeds=(100, 101)),
        "drawings": (Dots("error"),),
    }
    return Experiment(**{**given, **changes})


CLAIM = Claim(
    id="made/table-1/shared",
    text="Shared errs less.",
    case="main",
    contestant="shared",
    baseline="apart",
    measure="error",
    direction="lower",
    published=9.0,
    smallest=0.5,
    seeds=4,
)
