"""Weighted examples in training: losses and gradients are those of so many equal rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates.standard import mlp
from softshare.sharing.tied import Tied
from softshare.tasks.batches import Batches
from softshare.tasks.losses import TaskLosses, mean_loss
from softshare.tasks.task_set import TaskSet
from softshare.training.objective import Objective
from softshare.training.recorder import mean_losses

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(10, 3)).astype(np.float32)
LABELS = RANDOM.integers(0, 2, size=(10, 2)).astype(float)
COUNTS = RANDOM.integers(1, 4, size=10)


def own_rows(*, repeated: bool) -> TaskSet:
    """Two tasks of inputs of their own, with weights, or with rows that stand so many times."""
    times = COUNTS if repeated else np.ones(10, dtype=int)
    data = {}
    for number, name in enumerate("ab"):
        columns = INPUTS + number, LABELS[:, number]
        data[name] = tuple(np.repeat(column, times, axis=0) for column in columns)
    weights = None if repeated else {"a": COUNTS, "b": COUNTS}
    return TaskSet.from_arrays(data, kinds="binary", weights=weights)


def same_rows(*, repeated: bool) -> TaskSet:
    """Two tasks on one input, of which each lacks a label."""
    labels = LABELS.copy()
    labels[[3, 8], [0, 1]] = np.nan
    times = COUNTS if repeated else np.ones(10, dtype=int)
    inputs, labels = (np.repeat(array, times, axis=0) for array in (INPUTS, labels))
    targets = {"a": labels[:, 0], "b": labels[:, 1]}
    weights = None if repeated else COUNTS
    return TaskSet.from_shared_inputs(inputs, targets, kinds="binary", weights=weights)


@pytest.mark.parametrize("made", [own_rows, same_rows])
def test_a_step_on_all_rows_is_that_of_repeated_ones(made) -> None:
    torch.manual_seed(0)
    network = MultiTaskNetwork(mlp, made(repeated=False), sharing=Tied())
    found = []
    for repeated in (False, True):
        tasks = made(repeated=repeated)
        network.zero_grad()
        step = next(iter(Batches(tasks, batch_size=100)))
        loss = Objective(tasks)(network, step)
        loss.total.backward()
        gradients = [parameter.grad.clone() for parameter in network.parameters()]
        found.append((loss.by_task.detach(), gradients))
    (weighted, of_weighted), (many, of_many) = found
    torch.testing.assert_close(weighted, many)
    for one, other in zip(of_weighted, of_many, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("made", [own_rows, same_rows])
def test_a_validation_loss_is_a_weighted_mean(made) -> None:
    tasks = made(repeated=False)
    network = MultiTaskNetwork(mlp, tasks, sharing=Tied())
    network.eval()
    found = mean_losses(network, tasks, TaskLosses(tasks.tasks))
    many = made(repeated=True)
    wanted = mean_losses(network, many, TaskLosses(many.tasks))
    torch.testing.assert_close(found, wanted)
    for number, outputs in enumerate(predict(network, tasks)):
        own = tasks.targets[tasks.entries(number)]
        by_hand = mean_loss(tasks.tasks[number], outputs.numpy(), own, tasks.weights_of(number))
        assert by_hand == pytest.approx(float(wanted[number]), rel=1e-5)
