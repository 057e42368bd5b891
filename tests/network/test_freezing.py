"""Layers that training leaves as they are: which ones patterns name, and what they then keep."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from softshare.network.freezing import freeze
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task

TASKS = [Task(name, "regression") for name in "abc"]


def made() -> MultiTaskNetwork:
    encoder = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    template = nn.Sequential()
    template.add_module("encoder", encoder)
    template.add_module("head", nn.Linear(4, 1))
    return MultiTaskNetwork(template, TASKS, sharing=Tied())


def frozen_paths(network: MultiTaskNetwork) -> set[str]:
    frozen = set()
    for path, weight in network.shared_weights.items():
        if not any(parameter.requires_grad for parameter in weight.parameters()):
            frozen.add(path)
    return frozen


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("head", {"head.weight", "head.bias"}),
        ("head.bias", {"head.bias"}),
        ("*.weight", {"encoder.0.weight", "encoder.1.weight", "head.weight"}),
        (["encoder.0", "head.bias"], {"encoder.0.weight", "encoder.0.bias", "head.bias"}),
        (["head*", "head.bias"], {"head.weight", "head.bias"}),
    ],
)
def test_a_pattern_names_parameters_or_the_module_that_has_them(
    patterns: str | list[str], expected: set[str]
) -> None:
    network = made()
    freeze(network, patterns)
    assert frozen_paths(network) == expected


def test_what_matches_nothing_is_named_and_nothing_is_frozen() -> None:
    network = made()
    with pytest.raises(ValueError, match=r"nothing matches 'tail', 'hea'; the parameters are 'enc"):
        freeze(network, ["tail", "head", "hea"])
    assert not frozen_paths(network)


def test_frozen_layers_keep_their_numbers_and_their_running_statistics() -> None:
    network = made()
    freeze(network, "encoder.*")
    before = {name: value.clone() for name, value in network.task("b").state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    inputs = torch.randn(3, 8, 3)
    network.run(inputs).square().sum().backward()
    optimizer.step()
    after = network.task("b").state_dict()
    for name, value in before.items():
        is_frozen = name.startswith("encoder.")
        assert torch.equal(value, after[name]) == is_frozen
