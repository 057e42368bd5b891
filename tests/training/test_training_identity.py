"""What tells one training from another, and what does not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD

from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.training_identity import (
    TrainingIdentity,
    described,
    described_optimizer,
    network_identity,
)
from softshare.training.training_parts import NetworkValues, digest_of_values


class Drawing:
    """Rows that are drawn anew whenever they are read."""

    may_draw = True

    def __init__(self, *shape: int) -> None:
        self.shape = shape


def identity(tasks: TaskSet, **settings: Any) -> TrainingIdentity:
    return TrainingIdentity(settings, tasks, None, {"network": "n", "start": "s"})


def drawn_tasks() -> TaskSet:
    data = {name: (np.zeros((5, 2)), np.arange(5.0)) for name in "ab"}
    weights = {name: np.ones(5) for name in "ab"}
    tasks = TaskSet.from_arrays(data, kinds="regression", weights=weights)
    return replace(tasks, sources=(Drawing(5, 2), Drawing(5, 2)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (0.5, 0.5),
        ({"a": SGD, 2: (1, "x")}, {"a": "torch.optim.sgd.SGD", "2": [1, "x"]}),
        (
            partial(SGD, momentum=0.9),
            ["torch.optim.sgd.SGD", [], {"momentum": 0.9}],
        ),
        (partial(SGD, [1]), ["torch.optim.sgd.SGD", [[1]], {}]),
        (Drawing(2), f"{__name__}.Drawing"),
        (drawn_tasks, f"{__name__}.drawn_tasks"),
    ],
)
def test_settings_are_described_by_names(value: Any, expected: Any) -> None:
    assert described(value) == expected


def test_an_optimizer_is_its_class_and_options_but_not_its_rates() -> None:
    def made(rate: float, momentum: float) -> Any:
        return described_optimizer(SGD([nn.Parameter(torch.zeros(2))], lr=rate, momentum=momentum))

    assert made(0.1, 0.9) == made(0.2, 0.9) != made(0.1, 0.8)
    assert made(0.1, 0.9)[0] == "SGD"
    assert len(made(0.1, 0.9)[1]) == 1


def test_data_that_are_drawn_are_the_same_by_all_but_their_numbers() -> None:
    tasks = drawn_tasks()
    assert identity(drawn_tasks()).digest() == identity(tasks).digest()
    targets = tasks.targets.copy()
    targets[3] += 1
    weights = np.ones(10)
    weights[2] = 2.0
    renamed = (Task("c", "regression"), tasks.tasks[1])
    others = [
        replace(tasks, targets=targets),
        replace(tasks, weights=weights),
        replace(tasks, weights=None),
        replace(tasks, rows=tasks.rows[::-1].copy()),
        replace(tasks, tasks=renamed),
        replace(tasks, sources=(Drawing(5, 2), Drawing(5, 3))),  # type: ignore[arg-type]
        replace(tasks, offsets=np.array([0, 4, 10])),
    ]
    digests = {identity(other).digest() for other in (tasks, *others)}
    assert len(digests) == len(others) + 1
    for other in others:
        assert identity(tasks).differences(identity(other).as_json) == ["other data (train)"]


def test_versions_make_no_other_training_and_settings_do() -> None:
    tasks = drawn_tasks()
    own = identity(tasks, steps=5, long="x" * 10)
    told = {**own.as_json, "versions": "softshare 0"}
    assert own.differences(told) == []
    assert own.differences({**told, "steps": 6}) == ["steps 6, now 5"]
    assert own.differences({**told, "long": "y" * 500}) == ["long"]
    assert own.differences({**told, "more": 1}) == ["more 1, now None"]


def test_networks_differ_by_layers_by_what_is_trained_and_by_their_numbers() -> None:
    def made(module: nn.Module) -> dict[str, str]:
        return network_identity(module, NetworkValues(module))  # type: ignore[arg-type]

    torch.manual_seed(0)
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    names = list(made(first))
    structure, start = names
    assert made(first) == made(first)
    assert made(first)[structure] == made(second)[structure]
    assert made(first)[start] != made(second)[start]
    second.weight.requires_grad_(False)
    others = [second, nn.Linear(2, 3).double(), nn.Linear(2, 3, bias=False), nn.Linear(3, 2)]
    assert len({made(module)[structure] for module in (first, *others)}) == 5


def test_a_digest_of_values_goes_by_names_types_shapes_and_numbers() -> None:
    values = {"a": torch.arange(6.0), "b": torch.ones(2)}
    same = {"b": torch.ones(2), "a": torch.arange(12.0)[::2] / 2}
    assert digest_of_values(values) == digest_of_values(same)
    others = [
        {"a": torch.arange(6.0), "c": torch.ones(2)},
        {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)},
        {"a": torch.arange(6.0).double(), "b": torch.ones(2)},
        {"a": torch.arange(6.0) + 1e-6, "b": torch.ones(2)},
        {"a": torch.arange(6.0), "b": torch.ones(2).int()},
        {"a": torch.arange(6.0)},
    ]
    assert len({digest_of_values(each) for each in (values, *others)}) == len(others) + 1
