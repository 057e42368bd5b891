"""Core similarity on tasks whose likeness is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.methods.core_similarity import core_similarity, similar_cores
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet


def made_tasks(width_of_last: int = 8) -> TaskSet:
    """Two tasks with the same data, one with the opposite targets."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(40, 8)).astype(np.float32)
    targets = (inputs @ generator.normal(size=8)).astype(np.float32)
    last = inputs[:, :width_of_last]
    return TaskSet.from_arrays(
        {"a": (inputs, targets), "again": (inputs, targets), "opposite": (last, -targets)},
        kinds="regression",
    )


def ring_network(tasks: TaskSet, sharing: TensorRing) -> MultiTaskNetwork:
    return MultiTaskNetwork(
        lambda *form: mlp(*form, hidden=(8,)),
        tasks,
        sharing={"layers.0": sharing, "output": Tied()},
    )


def test_equal_tasks_respond_alike_and_opposite_tasks_oppositely() -> None:
    tasks = made_tasks()
    network = ring_network(tasks, TensorRing(3, shared=0, cores=3, common_start=True))
    with torch.no_grad():  # with outputs near 0 a loss's slope is that of its target alone
        for path in ("output.weight", "output.bias"):
            for parameter in network.shared_weight(path).parameters():
                parameter.mul_(0.05)
    similarity = core_similarity(network, tasks, noise=0.05)
    assert list(similarity) == ["layers.0"]
    assert len(similarity["layers.0"]) == 3
    for core in similarity["layers.0"]:
        np.testing.assert_allclose(core[0, 1], 1, atol=1e-4)
        assert core[0, 2] < -0.9
        np.testing.assert_allclose(core, core.T)
        np.testing.assert_allclose(np.diag(core), 1)


@pytest.mark.parametrize("width_of_last", [8, 4], ids=["equal", "unequal"])
def test_rows_are_those_of_the_sets_tasks_whichever_and_in_whatever_order(
    width_of_last: int,
) -> None:
    tasks = made_tasks(width_of_last)
    network = ring_network(tasks, TensorRing(3, shared=0, cores=3))
    wholes = core_similarity(network, tasks, n_draws=10)["layers.0"]
    for members in ([2, 0, 1], [2, 1]):
        parts = core_similarity(network, tasks.keep_tasks(members), n_draws=10)["layers.0"]
        for whole, part in zip(wholes, parts, strict=True):
            np.testing.assert_allclose(part, whole[np.ix_(members, members)], atol=1e-5)


@pytest.mark.parametrize("width_of_last", [8, 4], ids=["equal", "unequal"])
def test_a_task_that_came_later_is_perturbed_too(width_of_last: int) -> None:
    tasks = made_tasks(width_of_last)
    network = ring_network(tasks, TensorRing(3, shared=0, cores=3))
    inputs, targets = tasks.examples(0)
    network.add_task(TaskSet.from_arrays({"new": (inputs, targets)}, kinds="regression"))
    before = [value.clone() for value in network.parameters()]
    similarity = core_similarity(
        network, TaskSet.from_arrays({"new": (inputs, targets)}, kinds="regression")
    )["layers.0"]
    np.testing.assert_allclose(
        np.concatenate(similarity), 1
    )  # a task that does not respond has no correlation with itself
    assert all(
        torch.equal(value, kept) for value, kept in zip(network.parameters(), before, strict=True)
    )


def test_small_perturbations_measure_the_angle_between_the_tasks_gradients() -> None:
    tasks = made_tasks()
    generator = torch.Generator().manual_seed(3)
    network = ring_network(tasks, TensorRing(2, shared=(1,), cores=3, common_start=True))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    similarity = core_similarity(network, tasks, noise=1e-3, n_draws=400)["layers.0"]
    weight = network.layers["layers.0"]
    for number, (name, parameter) in enumerate(weight.named_parameters()):
        gradients = []
        for task in range(3):
            inputs, targets = tasks.examples(task)
            outputs = network({tasks.names[task]: inputs})[tasks.names[task]][:, 0]
            (gradient,) = torch.autograd.grad((outputs - targets).square().mean(), parameter)
            gradients.append(
                (gradient[task] if name in weight.task_parameters() else gradient).flatten()
            )
        flat = torch.stack(gradients)
        angles = torch.nn.functional.cosine_similarity(flat[:, None], flat[None], dim=-1).numpy()
        np.testing.assert_allclose(similarity[number], angles, atol=0.15)


def test_the_network_is_left_as_it_was() -> None:
    tasks = made_tasks()
    network = ring_network(tasks, TensorRing(3, shared=1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    core_similarity(network, tasks, n_draws=3)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_tasks_of_different_shapes_are_compared_where_their_cores_agree() -> None:
    tasks = made_tasks(width_of_last=4)
    modes = {"layers.0": [((4, 2), (2, 4)), ((4, 1), (2, 4))]}
    network = ring_network(tasks, TensorRing(3, shared=0, modes=modes, common_start=True))
    first, second = core_similarity(network, tasks, n_draws=5)["layers.0"]
    assert np.isfinite(first).all()
    assert np.isnan(second).tolist() == [
        [False, False, True],
        [False, False, True],
        [True, True, False],
    ]


def test_cores_are_shared_where_every_pair_that_can_be_compared_is_similar() -> None:
    nothing = np.nan
    similarity = {
        "bottom": [
            np.array([[1, 0.9, 0.8], [0.9, 1, 0.7], [0.8, 0.7, 1]]),
            np.array([[1, 0.9, 0.4], [0.9, 1, 0.7], [0.4, 0.7, 1]]),
        ],
        "top": [
            np.array([[1, 0.9, nothing], [0.9, 1, nothing], [nothing, nothing, 1]]),
            np.array([[1.0, nothing], [nothing, 1.0]]),
        ],
    }
    assert similar_cores(similarity) == {"bottom": (0,), "top": (0,)}
    assert similar_cores(similarity, threshold=0.3) == {"bottom": (0, 1), "top": (0,)}
    assert similar_cores(similarity, threshold=0.95) == {"bottom": (), "top": ()}


def test_a_network_without_rings_is_refused() -> None:
    tasks = made_tasks()
    with pytest.raises(ValueError, match="no layer is a tensor ring"):
        core_similarity(MultiTaskNetwork(mlp, tasks, sharing=Tied()), tasks)


def test_similarity_is_the_correlation_of_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a minimum all perturbations do harm, and responses have a mean far from zero."""
    tasks = made_tasks()
    network = ring_network(tasks, TensorRing(3, shared=0, cores=2))
    responses = np.random.default_rng(0).normal(5.0, size=(2, 10, 3))
    before = torch.tensor([1.0, 2.0, 3.0]).double()
    told = iter([before, *(before + torch.from_numpy(responses).flatten(0, 1))])
    monkeypatch.setattr("softshare.methods.core_similarity.mean_losses", lambda *given: next(told))
    found = core_similarity(network, tasks, n_draws=10)["layers.0"]
    for similarity, of_core in zip(found, responses, strict=True):
        np.testing.assert_allclose(similarity, np.corrcoef(of_core.T), atol=1e-12)
