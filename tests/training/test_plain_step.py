"""Optimizers and schedules that cannot be stepped without arguments are refused in one line."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau, StepLR

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit
from softshare.training.plain_step import require_plain_step


def made_tasks() -> TaskSet:
    rng = np.random.default_rng(0)
    rows = {name: (rng.normal(size=(9, 4)), np.arange(9) % 2) for name in "ab"}
    return TaskSet.from_arrays(rows, kinds="binary")


def test_lbfgs_is_refused_in_one_line() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks)
    with pytest.raises(TypeError, match=r"^optimizer: LBFGS\.step needs closure=.*Adam or SGD$"):
        fit(network, tasks, steps=2, optimizer=torch.optim.LBFGS)


def test_a_schedule_that_watches_a_loss_is_refused_in_one_line() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks)
    with pytest.raises(TypeError, match=r"^schedule: ReduceLROnPlateau\.step needs metrics="):
        fit(network, tasks, steps=2, schedule=ReduceLROnPlateau)


def test_what_steps_by_itself_is_taken() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    for make in (Adam, partial(SGD, lr=0.1)):
        optimizer = make([parameter])
        # The optimizer first, as fit does: a schedule puts a wrapper around its step.
        taken = [require_plain_step(optimizer, "optimizer", "")]
        schedules = (StepLR(optimizer, 2), CosineAnnealingLR(optimizer, 2))
        taken += [require_plain_step(schedule, "schedule", "") for schedule in schedules]
        assert taken == [None, None, None]  # none was refused


@pytest.mark.parametrize(
    "sharing",
    [Tied(), TensorTrain(ranks=0.5), TraceNorm(gamma=0.1), TensorNormal()],
    ids=lambda sharing: type(sharing).__name__,
)
def test_training_in_double_precision_by_default(sharing: Sharing) -> None:
    tasks = made_tasks()
    torch.set_default_dtype(torch.float64)
    try:
        network = MultiTaskNetwork(mlp, tasks, sharing=sharing)
        history = fit(network, tasks, validation=tasks, steps=3, keep_best=True)
        assert next(network.parameters()).dtype == torch.float64
        assert np.isfinite(history[-1]["validation_loss"])
    finally:
        torch.set_default_dtype(torch.float32)
