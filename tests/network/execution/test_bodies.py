"""The tasks' networks as they run: which body serves whom, and modes."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


def test_tasks_of_one_shape_have_one_body() -> None:
    rng = np.random.default_rng(0)
    widths = {"a": 3, "b": 5, "c": 3}
    data = {name: (rng.normal(size=(4, n)), [0, 1, 0, 1]) for name, n in widths.items()}
    network = MultiTaskNetwork(mlp, TaskSet.from_arrays(data, kinds="binary"))
    bodies = network.bodies
    assert bodies.groups == (0, 1, 0)
    assert bodies.of(0) is bodies.of(2)
    rows = torch.randn(2, 6, 3)
    outputs = bodies.run(rows, torch.tensor([2, 0]), one_input=False)
    for place, name in enumerate("ca"):
        torch.testing.assert_close(outputs[place], network.task(name)(rows[place]))


def test_modes_are_as_before_after_evaluating() -> None:
    template = nn.Sequential(nn.Linear(3, 3), nn.Dropout(), nn.Linear(3, 1))
    bodies = MultiTaskNetwork(template, [Task(name, "binary") for name in "ab"]).bodies
    bodies[0][0].eval()
    before = [module.training for module in bodies.modules()]
    with bodies.evaluating():
        assert not any(module.training for module in bodies.modules())
    assert [module.training for module in bodies.modules()] == before


def test_decisions_are_written_down_only_when_asked_for() -> None:
    bodies = MultiTaskNetwork(nn.Linear(3, 1), [Task(name, "binary") for name in "ab"]).bodies
    rows = torch.randn(2, 4, 3)
    with bodies.deciding() as decisions:
        bodies.run(rows, None, one_input=False)
    bodies.run(rows, None, one_input=False)
    assert len(decisions) == 1
