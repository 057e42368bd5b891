"""Rows that do not fit are named by their numbers; whole numbers are numbers, unless tokens."""

import numpy as np
import pytest
import torch
from torch import nn

from softshare.network.first_layer import needs_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import lenet, mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit


def on(inputs: np.ndarray) -> TaskSet:
    labels = np.arange(len(inputs)) % 2
    return TaskSet.from_arrays(dict.fromkeys("ab", (inputs, labels)))


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, np.int64, np.uint16])
@pytest.mark.parametrize(("template", "shape"), [(mlp, (20, 4)), (lenet, (20, 1, 8, 8))])
def test_whole_numbers_that_were_never_split_are_numbers(template, shape, kind) -> None:
    inputs = np.random.default_rng(0).integers(0, 2, shape).astype(kind)
    whole, floats = on(inputs), on(inputs.astype(np.float32))
    networks = [MultiTaskNetwork(template, tasks, sharing=Tied()) for tasks in (whole, floats)]
    for network, tasks in zip(networks, (whole, floats), strict=True):
        fit(network, tasks, steps=3)
    states = [network.stacks()["output.weight"] for network in networks]
    torch.testing.assert_close(*states, rtol=0, atol=0)


def test_tokens_stay_whole() -> None:
    template = nn.Sequential(nn.Embedding(9, 3), nn.Flatten(), nn.Linear(12, 1))
    tasks = on(np.random.default_rng(0).integers(0, 9, (20, 4)))
    network = MultiTaskNetwork(template, tasks, sharing=Tied())
    fit(network, tasks, steps=2)
    assert needs_of(template, (4,)) is None


@pytest.mark.parametrize(
    ("template", "shape", "rows", "message"),
    [
        (mlp, (4,), (2, 5, 7), r"a row of shape \(7,\) has 7 .* task 'a' takes 4"),
        (mlp, (4,), (2, 5, 2, 3), r"a row of shape \(2, 3\) has 6 .* takes 4"),
        (lenet, (1, 8, 8), (2, 5, 3, 8, 8), r"a row of shape \(3, 8, 8\) has 3 .* takes 1"),
    ],
)
def test_rows_of_another_width_are_told(template, shape, rows, message) -> None:
    network = MultiTaskNetwork(template, on(np.zeros((20, *shape))), sharing=Tied())
    with pytest.raises(ValueError, match=message):
        network.run(torch.randn(rows))
    with pytest.raises(ValueError, match=message):
        network.run(torch.randn(rows[1:]), one_input=True)


def test_rows_of_another_size_run_where_the_layers_take_them() -> None:
    template = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1)
    )
    network = MultiTaskNetwork(template, on(np.zeros((20, 1, 8, 8))), sharing=Tied())
    assert network.run(torch.randn(2, 5, 1, 6, 6)).shape == (2, 5, 1)
