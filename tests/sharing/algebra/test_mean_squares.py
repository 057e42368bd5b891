"""Mean squares of composed weights, against the composed weights themselves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra import mean_squares as module
from softshare.sharing.algebra.mean_squares import mean_squares

SIZES = {"a": 3, "b": 4, "c": 2, "A": 2, "B": 3, "C": 2, "D": 3, "t": 5}

EQUATIONS = (
    "aA,tA->ta",  # last-axis flattening
    "ABC,aA,bB,tC->tab",  # Tucker
    "aA,AbB,tB->tab",  # tensor train
    "aA,AbB,tBC,tC->tab",  # tensor train on a grid of tasks
    "aA,bA,tA->tab",  # canonical polyadic
    "AaB,BbC,tCcA->tabc",  # ring, the last core the tasks' own
    "tAaB,tBbC,tCcA->tabc",  # ring, nothing shared
    "tab->tab",  # independent
)


def operands_of(equation: str) -> list[Tensor]:
    terms = equation.split("->")[0].split(",")
    return [torch.randn([SIZES[letter] for letter in term], dtype=torch.float64) for term in terms]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_it_is_the_composed_weights_mean_square(equation: str) -> None:
    operands = operands_of(equation)
    composed = torch.einsum(equation, operands).flatten(1)
    assert_close(mean_squares(equation, operands), composed.square().mean(1))


@pytest.mark.parametrize("equation", ["aA,Ab->tab", "AaB,BbA->tab", "ab->tab"])
def test_one_weight_for_all_tasks_has_one_mean_square(equation: str) -> None:
    operands = operands_of(equation)
    composed = torch.einsum(equation.replace("->t", "->"), operands)
    assert_close(mean_squares(equation, operands), composed.square().mean())


def test_tasks_go_through_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    operands = operands_of("AaB,tBbC,tCcA->tabc")
    at_once = mean_squares("AaB,tBbC,tCcA->tabc", operands)
    monkeypatch.setattr(module, "CHUNK", 30)
    assert_close(mean_squares("AaB,tBbC,tCcA->tabc", operands), at_once)


def test_a_stack_that_would_not_fit_is_never_made() -> None:
    # 200,000 tasks with weights 512 × 512 would be 52 billion elements.
    left, right, rows = torch.randn(512, 3), torch.randn(512, 3), torch.randn(200_000, 3)
    squares = mean_squares("aA,bA,tA->tab", [left, right, rows])
    weight = (left * rows[7]) @ right.T
    assert_close(squares[7], weight.double().square().mean(), rtol=1e-5, atol=0)
