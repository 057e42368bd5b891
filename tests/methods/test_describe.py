"""What records hold of a network's sharing, against what its weights are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import softshare as ss
from softshare.methods import describe
from softshare.methods.describe import describe_sharing
from softshare.sharing.weights.sum_weight import SumWeight


def network_of(sharing: ss.Sharing, names: str = "abc") -> ss.MultiTaskNetwork:
    data = {}
    for name in names:
        data[name] = (np.zeros((4, 6), dtype=np.float32), np.arange(4.0))
    tasks = ss.TaskSet.from_arrays(data, kinds="regression")
    template = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 1))
    layers = {"0": sharing, "*": ss.Independent()}
    return ss.MultiTaskNetwork(template, tasks, sharing=layers, initial="independent")


def weights_of(network: ss.MultiTaskNetwork, layer: int) -> Tensor:
    weights = [network.task(task.name)[layer].weight for task in network.tasks]  # type: ignore[index, union-attr]
    return torch.stack(weights).detach().double()


def test_layers_are_described_by_their_own_weights() -> None:
    network = network_of(ss.TensorTrain((3, 2)))
    told = describe_sharing(network)
    assert list(told["layers"]) == ["0", "2"]
    first, last = told["layers"]["0"], told["layers"]["2"]
    assert (first["sharing"], last["sharing"]) == ("TensorTrain", "Independent")
    assert first["ranks"] == [3, 2]
    assert last["ranks"] == []
    # Cores of 6 × 3, 3 × 5 × 2 and 2 × 3, in place of three weights of 6 × 5.
    assert first["parameters"] == 18 + 30 + 6
    assert first["independent_parameters"] == last["independent_parameters"] * 6 == 90
    for number, layer in ((0, first), (2, last)):
        flat = weights_of(network, number).flatten(1).numpy()
        cosines = flat @ flat.T / np.outer(*2 * [np.linalg.norm(flat, axis=1)])
        assert layer["cosine"] == pytest.approx(cosines[np.triu_indices(3, 1)].mean(), abs=1e-6)
    assert "own" not in first


def test_similarity_is_the_cosine_of_all_that_tasks_learn() -> None:
    network = network_of(ss.TensorTrain((3, 2)))
    flat = torch.cat([weights_of(network, 0).flatten(1), weights_of(network, 2).flatten(1)], 1)
    unit = flat / flat.norm(dim=1, keepdim=True)
    told = describe_sharing(network)
    assert told["similarity"] == pytest.approx(np.round((unit @ unit.T).numpy(), 4), abs=1e-4)
    assert told["task_correlation"] is None
    assert told["warnings"] == []
    frozen = network.layers["0"]
    frozen.requires_grad_(False)
    last = weights_of(network, 2).flatten(1)
    last = last / last.norm(dim=1, keepdim=True)
    assert describe_sharing(network)["similarity"] == pytest.approx(
        np.round((last @ last.T).numpy(), 4), abs=1e-4
    )


def test_a_sum_tells_what_share_of_every_task_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(ss.Tied() + ss.Independent())
    weight = network.layers["0"]
    assert isinstance(weight, SumWeight)
    for values in weight.own.parameters():
        nn.init.normal_(values)
    common = weight.common.of(0).detach().double()
    own = (weight.stacked().detach().double() - common).flatten(1).square().sum(1)
    shares = (own / (own + common.square().sum())).tolist()
    layer = describe_sharing(network)["layers"]["0"]
    assert layer["own_by_task"] == pytest.approx(shares, abs=1e-5)
    assert layer["own"] == pytest.approx(np.mean(shares), abs=1e-5)
    assert layer["common_size"] == pytest.approx(float(common.square().mean().sqrt()))
    assert layer["spread"] == pytest.approx(0.1 * weight.spread.scale)  # type: ignore[union-attr]

    # Of very many tasks a record holds the mean alone, and no pairs.
    monkeypatch.setattr(describe, "MOST_TASKS_COMPARED", 3)
    told = describe_sharing(network)
    assert told["layers"]["0"]["own_by_task"] is not None
    assert told["similarity"] is not None
    monkeypatch.setattr(describe, "MOST_TASKS_COMPARED", 2)
    told = describe_sharing(network)
    assert told["layers"]["0"]["own_by_task"] is None
    assert told["layers"]["0"]["own"] == layer["own"]
    assert told["similarity"] is None


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_the_learned_correlation_is_the_mean_of_the_layers_that_learn_one(names: str) -> None:
    prior = ss.TensorNormal(("task",))
    data = {name: (np.zeros((4, 6), dtype=np.float32), np.arange(4.0)) for name in names}
    tasks = ss.TaskSet.from_arrays(data, kinds="regression")
    template = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.Linear(4, 1))
    network = ss.MultiTaskNetwork(
        template, tasks, sharing={"0": prior, "2": prior, "*": ss.Independent()}
    )
    roots = torch.randn(2, len(names), 4, generator=torch.Generator().manual_seed(0)).double()
    expected = []
    for layer, root in zip(("0", "2"), roots, strict=True):
        covariance = root @ root.T
        network.layers[layer].covariances["task"].covariance.copy_(covariance)  # type: ignore[index, union-attr, operator]
        sizes = covariance.diagonal().sqrt()
        expected.append(covariance / torch.outer(sizes, sizes))
    told = describe_sharing(network)["task_correlation"]
    np.testing.assert_allclose(told, torch.stack(expected).mean(0), atol=1e-4)


def test_one_task_alone_is_like_no_other() -> None:
    told = describe_sharing(network_of(ss.Independent(), names="a"))
    assert told["similarity"] is None
    assert told["task_correlation"] is None
