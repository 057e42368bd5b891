"""How far tasks spread is learned in training: known spreads are recovered, none stays none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import softshare as ss
from experiments.sums.spread import learned_spread, made_tasks
from softshare.sharing.spread import FLOOR
from softshare.sharing.weights.sum_weight import SumWeight


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_a_known_spread_is_recovered(spread: float) -> None:
    learned = learned_spread(spread, seed=0, steps=500)
    assert spread / 1.5 < learned < 1.5 * spread


def test_tasks_that_are_one_have_next_to_no_spread() -> None:
    assert learned_spread(0.0, seed=0, steps=500) < 0.05


def test_layers_of_a_convolutional_network_learn_theirs() -> None:
    numbers = np.random.default_rng(0)
    data = {}
    for number, name in enumerate("abcd"):
        images = numbers.normal(size=(30, 1, 6, 6)).astype(np.float32)
        # Which half of the image is brighter: the same for two tasks, the opposite for the others.
        brighter = images[:, 0, :3].mean((1, 2)) > images[:, 0, 3:].mean((1, 2))
        data[name] = (images, (brighter ^ (number % 2 == 1)).astype(int))
    tasks = ss.TaskSet.from_arrays(data, kinds="binary")
    layers = [nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(48, 1)]
    sharing = ss.Tied() + ss.Independent()
    network = ss.MultiTaskNetwork(
        nn.Sequential(*layers), tasks, sharing={"3": sharing, "*": sharing}
    )
    before = {}
    for layer, weight in network.layers.items():
        assert isinstance(weight, SumWeight)
        assert weight.spread is not None
        before[layer] = float(weight.spread.variance)
    ss.fit(network, tasks, steps=40, batch_size=16)
    for layer, weight in network.layers.items():
        assert isinstance(weight, SumWeight)
        assert weight.spread is not None
        assert float(weight.spread.variance) != before[layer]
        assert weight.spread.deviation >= 0.999 * FLOOR * weight.spread.scale


def test_updates_change_nothing_that_a_step_computes_with() -> None:
    """The generator's and the running statistics' state, with or without the extra pass."""
    tasks = made_tasks(0.3, seed=0)
    module = nn.Sequential(nn.Linear(10, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    network = ss.MultiTaskNetwork(module, tasks, sharing=ss.Tied() + ss.Independent())
    torch.manual_seed(3)
    ss.fit(network, tasks, steps=10, batch_size=8)
    state = torch.get_rng_state()
    torch.manual_seed(3)
    given = ss.Sum(ss.Tied(), ss.Independent(), 0.1)
    ss.fit(ss.MultiTaskNetwork(module, tasks, sharing=given), tasks, steps=10, batch_size=8)
    assert torch.equal(state, torch.get_rng_state())
