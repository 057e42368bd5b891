"""Affine layers whose weight is a sum, against their terms alone and against composed weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

import softshare as ss
from softshare.sharing.base import Sharing
from softshare.sharing.weights.sum_weight import SumWeight


def network_of(sharing: Sharing, module: nn.Module | None = None) -> ss.MultiTaskNetwork:
    numbers = np.random.default_rng(0)
    data = {name: (numbers.normal(size=(9, 6)), numbers.normal(size=9)) for name in "abc"}
    tasks = ss.TaskSet.from_arrays(data, kinds="regression")
    module = module or nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))
    return ss.MultiTaskNetwork(
        module, tasks, sharing={"2": sharing, "*": sharing}, initial="independent"
    )


def leave_zero(network: ss.MultiTaskNetwork) -> ss.MultiTaskNetwork:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("own", [ss.Independent(), ss.TensorTrain(0.5)])
def test_with_own_parts_of_zero_it_computes_what_tied_layers_do_to_the_bit(own: Sharing) -> None:
    rows = torch.randn(3, 7, 6)
    module = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))
    tied = network_of(ss.Tied(bias="own"), module).run(rows)
    assert torch.equal(network_of(ss.Tied() + own, module).run(rows), tied)


@pytest.mark.parametrize("own", [ss.Independent(), ss.TensorTrain(0.5)])
def test_with_a_common_part_of_zero_it_computes_what_own_layers_do_to_the_bit(own: Sharing) -> None:
    rows = torch.randn(3, 7, 6)
    alone = network_of(own)
    whole = network_of(ss.Sum(ss.Tied(), own, 0.1))
    for path, weight in whole.shared_weights.items():
        assert isinstance(weight, SumWeight)
        weight.own.load_state_dict(alone.shared_weight(path).state_dict())
        with torch.no_grad():
            for parameter in weight.common.parameters():
                parameter.zero_()
    assert torch.equal(whole.run(rows), alone.run(rows))


@pytest.mark.parametrize("shrink", ["learned", 0.1])
@pytest.mark.parametrize("one_input", [False, True])
@pytest.mark.parametrize("further", [(), (2, 4)])
def test_it_computes_what_composed_weights_do(
    shrink: float, one_input: bool, further: tuple[int, ...]
) -> None:
    sharing = ss.Sum(ss.Tied(), ss.TensorTrain(0.5), shrink) + ss.Independent()
    network = leave_zero(network_of(sharing))
    rows = torch.randn(5, *further, 6)
    rows = rows if one_input else rows.expand(3, *rows.shape)
    for task, outputs in zip(network.tasks, network.run(rows, one_input=one_input), strict=True):
        module = network.task(task.name)
        assert_close(module(rows if one_input else rows[0]), outputs)


def test_a_template_that_is_no_chain_computes_the_same() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(6, 6)
            self.last = nn.Linear(6, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(x + torch.tanh(self.first(x)))

    network = network_of(ss.Tied(), nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 1)))
    network = leave_zero(
        ss.MultiTaskNetwork(
            Residual(), network.tasks, sharing=ss.Tied() + ss.TensorTrain(0.5), seed=1
        )
    )
    rows = torch.randn(5, 6)
    outputs = network.run(rows, one_input=True)
    assert_close(network.task("b")(rows), outputs[1])


def test_the_plan_shows_each_term() -> None:
    network = network_of(ss.Tied() + ss.TensorTrain(0.5))
    ways = [(row.layer, row.way) for row in network.plan(torch.randn(3, 7, 6))]
    assert [layer for layer, _ in ways] == ["0", "0", "2", "2"]
    assert "the weight is the same for all tasks" in ways[0][1]
    assert "factors" in ways[1][1] or "composed" in ways[1][1]
