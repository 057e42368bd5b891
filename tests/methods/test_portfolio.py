"""What is left out of a portfolio, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from softshare.methods import portfolio
from softshare.methods.contestants import POOLED_RIDGE, RIDGE, Contestant
from softshare.methods.named import TENSOR_TRAIN, method_named
from softshare.methods.network_method import NetworkMethod
from softshare.methods.portfolio import ROOM, Rehearsal
from softshare.shallow.common_weights import Goal
from softshare.tasks.folds import folds
from tests.methods.made_schools import FEW_STEPS, parts, schools

GOAL = Goal("regression", "mean-rmse", 0, 0)


class Clock:
    """A second goes by for every row that is learned slowly, and none otherwise."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass(frozen=True)
class Slow(Contestant):
    """Takes a second a row of a clock."""

    clock: Clock = field(default_factory=Clock)

    def learn(self, train, validation, settings, *, watch=False):
        self.clock.seconds += len(train.rows)
        return RIDGE.learn(train, validation, settings)


@dataclass(frozen=True)
class Stepping(NetworkMethod):
    """Takes a second a step of a clock."""

    clock: Clock = field(default_factory=Clock)
    learned_with: list[int] = field(default_factory=list)

    def learn(self, train, validation, settings, *, watch=False):
        self.clock.seconds += settings.steps
        self.learned_with.append(settings.steps)
        return RIDGE.learn(train, validation, settings)


def rehearsal(minutes: float | None, **others) -> Rehearsal:
    train, _, _ = parts(schools(rows=20))
    settings = replace(FEW_STEPS, method="auto", **others)
    return Rehearsal(train, settings, GOAL, POOLED_RIDGE, RIDGE, minutes)


def test_a_method_that_would_take_longer_than_is_left_is_left_out(monkeypatch) -> None:
    slow = Slow("slow", "nothing", "")
    monkeypatch.setattr(portfolio, "time", slow.clock)
    monkeypatch.setattr(portfolio, "ROWS", 20)
    told = rehearsal(1.0)
    n_rows = len(told.train.rows)
    assert n_rows > 60
    assert list(told.learned([RIDGE, slow, POOLED_RIDGE])) == ["ridge", "pooled-ridge"]
    assert slow.clock.seconds < 60
    assert "longer than was left" in told.left_out["slow"]
    assert "slow" in rehearsal(ROOM * 2 * n_rows / 60).learned([slow])


def test_a_network_without_time_for_steps_is_left_out() -> None:
    told = rehearsal(0.002, steps=5000)
    assert list(told.learned([POOLED_RIDGE, TENSOR_TRAIN])) == ["pooled-ridge"]
    assert "tensor-train" in told.left_out


def test_the_hopeless_are_dropped_by_some_of_the_rows(monkeypatch) -> None:
    monkeypatch.setattr(portfolio, "ROWS", 40)
    told = rehearsal(None)

    @dataclass(frozen=True)
    class Wrong(Contestant):
        def learn(self, train, validation, settings, *, watch=False):
            learned = RIDGE.learn(train, validation, settings)
            said = [-5 * np.abs(outputs) for outputs in learned.held_out]
            return replace(learned, held_out=said)

    found = told.learned([POOLED_RIDGE, Wrong("wrong", "", ""), method_named("mixed-model")])
    assert list(found) == ["pooled-ridge", "mixed-model"]
    assert told.left_out == {"wrong": "far behind the pooled model on some of the rows"}


@pytest.mark.parametrize("minutes", [None, 10.0])
def test_with_time_and_few_rows_all_are_learned(minutes: float | None) -> None:
    told = rehearsal(minutes)
    found = told.learned([POOLED_RIDGE, method_named("mixed-model")])
    assert list(found) == ["pooled-ridge", "mixed-model"]
    assert told.left_out == {}


@pytest.mark.parametrize(
    ("minutes", "asked", "made"),
    [
        (5.0, 5000, [20, int((300 - 20) / ROOM)]),
        (5.0, 200, [20, 200]),
        (5.0, 10, [10, 10]),
        (2.0, 5000, [20]),  # there is time for 86
        (None, 5000, [5000]),
    ],
)
def test_a_network_has_as_many_steps_as_there_is_time_for(
    minutes: float | None, asked: int, made: list[int], monkeypatch
) -> None:
    network = Stepping("stepping", "", "", TENSOR_TRAIN.sharing)
    monkeypatch.setattr(portfolio, "time", network.clock)
    told = rehearsal(minutes, steps=asked)
    found = told.learned([network])
    assert network.learned_with == made
    assert list(found) == (["stepping"] if len(made) == 2 or minutes is None else [])
    if not found:
        assert told.left_out == {"stepping": "there was time for 86 steps alone"}


def test_when_the_time_is_over_the_rest_is_left_out_but_what_is_always_learned(monkeypatch) -> None:
    slow = Slow("slow", "nothing", "")
    monkeypatch.setattr(portfolio, "time", slow.clock)
    told = rehearsal(0.5)
    found = told.learned([slow, POOLED_RIDGE, method_named("mixed-model"), TENSOR_TRAIN, RIDGE])
    assert list(found) == ["slow", "pooled-ridge", "ridge"]
    assert told.left_out == dict.fromkeys(("mixed-model", "tensor-train"), "no time was left")


@pytest.mark.parametrize(("share", "n_parts"), [(1.9, None), (2.0, 2), (2.75, 2), (3.2, 3)])
def test_some_of_the_rows_are_one_of_as_many_folds_as_are_large(
    share: float, n_parts: int | None, monkeypatch
) -> None:
    told = rehearsal(None, seed=4)
    n_rows = len(told.train.rows)
    monkeypatch.setattr(portfolio, "ROWS", int(n_rows / share))
    some = told._some_rows()
    if n_parts is None:
        assert some is None
    else:
        expected = told.train.select(folds(told.train, n_parts, seed=4) == 0)
        assert some.rows.tolist() == expected.rows.tolist()
