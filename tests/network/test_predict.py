"""Predictions in pieces are those of each task's own network on all its rows."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from softshare.network import predict as module
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet

LIMITS = [(32, 32, 1 << 23), (1, 1, 1), (3, 2, 1), (2, 1, 60), (1, 3, 400)]


@pytest.fixture(params=LIMITS, ids=str)
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Few rows, few tasks and few numbers at once, so that pieces are many."""
    for name, value in zip(
        ("FEW_ROWS", "FEW_TASKS", "NUMBERS_AT_ONCE"), request.param, strict=True
    ):
        monkeypatch.setattr(module, name, value)
    return request.param


def own_inputs() -> TaskSet:
    random = np.random.default_rng(0)
    data = {f"t{size}": (random.normal(size=(size, 6)), np.arange(size) % 2) for size in (5, 11, 2)}
    data["classes"] = (random.normal(size=(7, 6)), np.arange(7) % 4)
    data["narrow"] = (random.normal(size=(9, 3)), random.normal(size=9))
    return TaskSet.from_arrays(data, kinds={"classes": "multiclass", "narrow": "regression"})


def one_input(share_of_labels: float) -> TaskSet:
    random = np.random.default_rng(1)
    targets = random.normal(size=(13, 5))
    missing = random.random((13, 5)) > share_of_labels
    missing[:2] = False
    targets[missing] = np.nan
    return TaskSet.from_shared_inputs(
        random.normal(size=(13, 6)),
        {f"t{task}": targets[:, task] for task in range(5)},
        kinds="regression",
    )


SETS = {
    "own inputs": own_inputs,
    "without examples": lambda: own_inputs().select(np.arange(5, 30)),
    "one input, complete": partial(one_input, 1.0),
    "one input, gaps": partial(one_input, 0.7),
    "one input, few labels": partial(one_input, 0.1),
    "some tasks": lambda: own_inputs().keep_tasks([3, 0]),
}


@pytest.mark.parametrize(
    "sharing", [Tied(), Independent(), {"layers.1": LastAxisFlattening(2)}], ids=repr
)
@pytest.mark.parametrize("name", SETS)
def test_pieces_change_nothing(name: str, sharing: Sharing, limits: tuple[int, int, int]) -> None:
    tasks = SETS[name]()
    network = MultiTaskNetwork(
        mlp, own_inputs() if name == "some tasks" else tasks, sharing=sharing
    )
    for number, outputs in enumerate(predict(network, tasks)):
        inputs, _ = tasks.examples(number)
        with torch.no_grad():
            torch.testing.assert_close(outputs, network.task(tasks.names[number])(inputs))


@pytest.mark.parametrize("sharing", [Tied(), Independent()], ids=repr)
def test_a_piece_is_no_larger_than_the_limits(
    sharing: Sharing, limits: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    few_rows, few_tasks, numbers = limits
    random = np.random.default_rng(0)
    tasks = TaskSet.from_arrays(
        {f"t{task}": (random.normal(size=(8, 4)), random.normal(size=8)) for task in range(9)},
        kinds="regression",
    )
    network = MultiTaskNetwork(partial(mlp, hidden=(3,)), tasks, sharing=sharing)
    run, pieces = network.run, []

    def watch(inputs: Tensor, *, tasks: Tensor, one_input: bool) -> Tensor:
        pieces.append(tuple(inputs.shape[:2]))
        return run(inputs, tasks=tasks, one_input=one_input)

    monkeypatch.setattr(network, "run", watch)
    predict(network, tasks)
    own = (
        4 if isinstance(sharing, Tied) else 4 * 3 + 3 + 3 + 1
    )  # under hard sharing the head and its bias
    assert sum(k * rows for k, rows in pieces) == 9 * 8
    assert all(k <= few_tasks or k * (own + few_rows * 4) <= numbers for k, _ in pieces)
    assert all(rows <= few_rows or k * rows * 4 <= numbers for k, rows in pieces)


def test_very_many_small_tasks_go_through_together(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    tasks = TaskSet.from_task_column(
        random.normal(size=(3000, 4)),
        random.normal(size=3000),
        np.arange(3000) % 1000,
        kind="regression",
    )
    network = MultiTaskNetwork(mlp, tasks, sharing=LastAxisFlattening(2), sparse_rows=True)
    run, calls = network.run, []
    monkeypatch.setattr(
        network, "run", lambda *args, **kwargs: calls.append(1) or run(*args, **kwargs)
    )
    outputs = predict(network, tasks)
    assert len(calls) < 10
    assert [len(rows) for rows in outputs] == [3] * 1000


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_outputs_have_the_networks_precision(dtype: torch.dtype) -> None:
    tasks = own_inputs()
    network = MultiTaskNetwork(mlp, tasks, sharing=Tied()).to(dtype)
    for number, outputs in enumerate(predict(network, tasks)):
        assert outputs.dtype == dtype
        inputs, _ = tasks.examples(number)
        with torch.no_grad():
            torch.testing.assert_close(outputs, network.task(tasks.names[number])(inputs.to(dtype)))


def test_every_module_keeps_its_mode() -> None:
    tasks = own_inputs().keep_tasks([0, 1])
    network = MultiTaskNetwork(partial(mlp, dropout=0.5), tasks)
    still, *_, other = (part for part in network.bodies.modules() if not list(part.children()))
    still.eval()
    predict(network, tasks)
    assert not still.training
    assert other.training
    assert network.training
