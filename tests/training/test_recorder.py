"""Mean losses of all tasks at once are those of a loop over tasks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from softshare.network import predict as module
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task_set import TaskSet
from softshare.training import recorder
from softshare.training.history import History
from softshare.training.recorder import BestWeights, KeepBest, Recorder, mean_losses

SIZES = {"binary": 7, "three": 4, "five": 12, "number": 9, "narrow": 3}


def mixed(*, one_input: bool) -> TaskSet:
    random = np.random.default_rng(0)
    n_classes = {"binary": 2, "three": 3, "five": 5}
    kinds = {
        name: "regression"
        if name not in n_classes
        else "binary"
        if n_classes[name] == 2
        else "multiclass"
        for name in SIZES
    }
    targets = {
        name: np.arange(20) % n_classes[name] if name in n_classes else random.normal(size=20)
        for name in SIZES
    }
    if one_input:
        gaps = {
            name: np.where(np.arange(20) < SIZES[name] + 7, column, np.nan)
            for name, column in targets.items()
        }
        return TaskSet.from_shared_inputs(random.normal(size=(20, 6)), gaps, kinds=kinds)
    data = {
        name: (random.normal(size=(size, 3 if name == "narrow" else 6)), targets[name][:size])
        for name, size in SIZES.items()
    }
    return TaskSet.from_arrays(data, kinds=kinds)


def in_a_loop(network: MultiTaskNetwork, tasks: TaskSet) -> Tensor:
    losses = []
    for number, task in enumerate(tasks.tasks):
        inputs, targets = tasks.examples(number)
        outputs = (
            network.task(task.name)
            .eval()(inputs.to(next(network.parameters()).dtype))
            .detach()
            .double()
        )
        if task.kind == "multiclass":
            losses.append(functional.cross_entropy(outputs, targets.long()))
        elif task.kind == "binary":
            losses.append(functional.binary_cross_entropy_with_logits(outputs[:, 0], targets))
        else:
            losses.append((outputs[:, 0] - targets).square().mean())
    return torch.stack(losses)


@pytest.mark.parametrize(
    ("few_rows", "few_tasks", "numbers"), [(32, 32, 1 << 23), (1, 1, 1), (2, 3, 1)]
)
@pytest.mark.parametrize("one_input", [True, False])
def test_mean_losses_are_those_of_a_loop(
    one_input: bool, few_rows: int, few_tasks: int, numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW_ROWS", few_rows)
    monkeypatch.setattr(module, "FEW_TASKS", few_tasks)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", numbers)
    tasks = mixed(one_input=one_input)
    network = MultiTaskNetwork(mlp, tasks, sharing={"layers.1": LastAxisFlattening(2)})
    torch.testing.assert_close(
        mean_losses(network, tasks, TaskLosses(tasks.tasks)).double(),
        in_a_loop(network, tasks),
        rtol=1e-5,
        atol=1e-6,
    )
    assert network.training


@pytest.mark.parametrize("one_input", [True, False])
def test_a_task_without_examples_has_no_mean_loss(one_input: bool) -> None:
    tasks = mixed(one_input=one_input)
    network = MultiTaskNetwork(mlp, tasks)
    fewer = tasks.select(~np.isin(tasks.task_of, [1, 4]))
    losses = mean_losses(network, fewer, TaskLosses(tasks.tasks))
    assert losses.isnan().tolist() == [False, True, False, False, True]
    torch.testing.assert_close(
        losses[[0, 2, 3]].double(), in_a_loop(network, tasks)[[0, 2, 3]], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("one_input", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-7), (torch.bfloat16, 0.05)])
def test_mean_losses_of_a_network_in_another_precision(
    one_input: bool, dtype: torch.dtype, tolerance: float
) -> None:
    tasks = mixed(one_input=one_input)
    network = MultiTaskNetwork(mlp, tasks).to(dtype)
    losses = mean_losses(network, tasks, TaskLosses(tasks.tasks))
    assert losses.dtype == torch.promote_types(dtype, torch.float32)
    torch.testing.assert_close(
        losses.double(), in_a_loop(network, tasks), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("jointly", [True, False])
def test_of_equally_good_weights_the_first_are_kept(jointly: bool) -> None:
    tasks = mixed(one_input=True)
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent())
    best = BestWeights(jointly=jointly)
    n_tasks = len(tasks)
    for value, loss in ((1.0, 0.5), (2.0, 0.5), (3.0, 0.7), (4.0, float("nan"))):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(value)
        best.update(network, torch.full((n_tasks,), loss), mean=loss)
    best.restore(network)
    assert all((parameter == 1).all() for parameter in network.parameters())


def test_tasks_that_share_nothing_have_each_its_own_best_weights() -> None:
    tasks = mixed(one_input=True)
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent())
    apart, jointly = BestWeights(), BestWeights(jointly=True)
    losses = torch.tensor([[0.5, 0.1, 0.9, torch.nan, 0.2], [0.4, 0.2, 0.8, torch.nan, 0.35]])
    for value, of_step in zip((1.0, 2.0), losses, strict=True):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(value)
        for each in (apart, jointly):
            each.update(network, of_step, mean=float(of_step.nanmean()))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(3.0)
    apart.restore(network)
    kept = [float(network.own_values(task)[0].flatten()[0]) for task in range(len(tasks))]
    assert kept == [2.0, 1.0, 2.0, 3.0, 1.0]
    jointly.restore(network)
    assert all((parameter == 1).all() for parameter in network.parameters())


@pytest.mark.parametrize(("keep_best", "expected"), [(True, [2.0, 1.0]), ("jointly", [1.0, 1.0])])
def test_a_recorder_keeps_the_best_of_each_task_or_of_all(
    keep_best: KeepBest, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {name: (np.zeros((4, 2), dtype=np.float32), np.arange(4.0)) for name in "ab"}
    tasks = TaskSet.from_arrays(data, kinds="regression")
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent())
    told = iter([torch.tensor([0.5, 0.1]), torch.tensor([0.4, 0.9])])
    monkeypatch.setattr(recorder, "mean_losses", lambda *given: next(told))
    losses = TaskLosses(tasks.tasks)
    keeper = Recorder(History(), every=1, validation=tasks, losses=losses, keep_best=keep_best)
    for value in (1.0, 2.0):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(value)
        keeper.evaluate(network, int(value))
    keeper.finish(network)
    assert [float(network.own_values(task)[0].flatten()[0]) for task in range(2)] == expected
