"""Rows of different tasks in one pass say what each task's own network says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.models.export.networks import network_module
from softshare.models.export.refusal import NotExportableError
from softshare.models.export.row_weights import AffineOfRows
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.canonical_polyadic import CP
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker
from softshare.tasks.task_set import TaskSet

SHARINGS = [
    Independent(),
    Tied(bias="tied"),
    LastAxisFlattening(2),
    Tucker((3, 2, 2)),
    TensorTrain((3, 2)),
    TensorRing(2, shared=1),
    CP(3),
    TensorNormal(),
    Tied() + TensorTrain((3, 2)),
    Tied() + Independent(),
]


def network_of(sharing: Sharing, names: list[object], width: int = 4) -> MultiTaskNetwork:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(2, width)).astype(np.float32)
    tasks = TaskSet.from_arrays({name: (inputs, np.zeros(2)) for name in names}, kinds="regression")
    network = MultiTaskNetwork(
        lambda shape, n: mlp(shape, n, hidden=(6,)),
        tasks,
        sharing={"*": sharing},
        initial="independent",
    )
    # What begins at zero, such as own parts and offsets, must count too.
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=torch.manual_seed(0)))
    return network.eval()


def check_rows(network: MultiTaskNetwork, names: list[object]) -> None:
    module = network_module(network, names)
    places = torch.arange(20) % len(names)
    x = torch.randn(20, 4, generator=torch.manual_seed(1))
    with torch.no_grad():
        said = module(x, places)
        for place, name in enumerate(names):
            own = network.task(name, own_units=False)(x[places == place])
            torch.testing.assert_close(said[places == place].float(), own)


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_every_sharing(sharing: Sharing) -> None:
    names = ["a", "b", "c"]
    check_rows(network_of(sharing, names), names)


def test_tasks_on_a_grid_and_in_another_order() -> None:
    names = [(town, year) for town in "xyz" for year in "12"]
    network = network_of(TensorTrain(0.5), names)
    check_rows(network, names[::-1])
    stored = sum(value.numel() for value in network.parameters())
    kept = sum(value.numel() for value in network_module(network, names).parameters())
    # Rows that tasks have in common are kept once, and their numbers beside them.
    assert kept < 1.5 * stored


def test_layers_that_mix_rows_are_refused_in_one_graph_alone() -> None:
    inputs = np.zeros((2, 1, 8, 8), dtype=np.float32)
    data = {name: (inputs, np.zeros(2)) for name in "ab"}
    tasks = TaskSet.from_arrays(data, kinds="regression")
    template = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 1)
    )
    network = MultiTaskNetwork(template, tasks, sharing=Tied())
    with pytest.raises(NotExportableError, match=r"Conv2d \('0'\).*each task by itself"):
        network_module(network, ["a", "b"])
    x = torch.randn(3, 1, 8, 8)
    said = network_module(network, ["b"])(x, torch.zeros(3, dtype=torch.int64))
    assert said.shape == (3, 1)


def test_inputs_and_outputs_may_be_of_different_numbers_of_modes() -> None:
    tasks = TaskSet.from_arrays(
        {name: (np.ones((2, 15), np.float32), np.zeros(2)) for name in "abcdef"}, kinds="regression"
    )
    network = MultiTaskNetwork(
        lambda shape, n: mlp(shape, n, hidden=(16,)),
        tasks,
        sharing={"*": TensorRing(8, shared=2)},
    )
    weight = network.shared_weights["layers.0.weight"]
    places = torch.arange(12) % 6
    x = torch.randn(12, 15, generator=torch.manual_seed(1))
    with torch.no_grad():
        said = AffineOfRows(weight, None, (15, 16))(x, places)
        wanted = torch.einsum("ni,nio->no", x, weight.stacked()[places])
    torch.testing.assert_close(said, wanted, atol=1e-5, rtol=1e-4)
