"""Dropout in many tasks at once: each task's noise is its own, whoever runs beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit


def convolutions(shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    parts = [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Dropout2d(0.4), nn.Conv2d(3, 2, 3), nn.Dropout(0.2)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(32, n_outputs))


TEMPLATES: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...]]] = {
    "mlp": (partial(mlp, hidden=(6, 5), dropout=0.5), (4,)),
    "convolutions": (convolutions, (1, 8, 8)),
    "ordering": (partial(ordering_mlp, width=6, depth=3, dropout=0.3), (4,)),
}


def made_tasks(names: str, shape: tuple[int, ...]) -> TaskSet:
    data = {}
    for name in names:
        random = np.random.default_rng(ord(name))
        inputs = random.normal(size=(12, *shape)).astype(np.float32)
        data[name] = inputs, np.arange(12) % 2
    return TaskSet.from_arrays(data, kinds="binary")


def trained(name: str, names: str, sharing: Sharing) -> dict[str, Tensor]:
    make, shape = TEMPLATES[name]
    tasks = made_tasks(names, shape)
    network = MultiTaskNetwork(make, tasks, sharing=sharing, initial="common", seed=3)
    fit(network, tasks, steps=4, batch_size=5, learning_rate=0.05, seed=7)
    states = {task: network.task(task).state_dict() for task in "ab"}
    return {f"{task}.{path}": value for task in "ab" for path, value in states[task].items()}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("sharing", [Independent(), Tied()], ids=repr)
def test_training_does_not_depend_on_the_order_of_the_tasks(name: str, sharing: Sharing) -> None:
    first, second = trained(name, "abc", sharing), trained(name, "cba", sharing)
    for path, value in first.items():
        torch.testing.assert_close(second[path], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mlp", "convolutions"])
def test_tasks_that_share_nothing_do_not_see_who_else_is_trained(name: str) -> None:
    first, second = trained(name, "abc", Independent()), trained(name, "ab", Independent())
    for path, value in first.items():
        torch.testing.assert_close(second[path], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("module", "shape", "map_of"),
    [
        (nn.Dropout(0.4), (3, 50, 4, 6), 0),
        (nn.Dropout1d(0.4), (3, 50, 40, 6), 1),
        (nn.Dropout2d(0.4), (3, 50, 40, 2, 3), 2),
        (nn.Dropout3d(0.4), (3, 50, 40, 2, 1, 3), 3),
    ],
    ids=["each", "1d", "2d", "3d"],
)
def test_what_is_dropped_is_a_number_or_a_map_and_the_rest_is_scaled(
    module: nn.Module, shape: tuple[int, ...], map_of: int
) -> None:
    template = nn.Sequential(nn.LayerNorm(shape[-1], elementwise_affine=True), module)
    tasks = made_tasks("abc", (1,)).tasks
    network = MultiTaskNetwork(template, tasks).train()
    rows = torch.randn(shape)
    before = functional.layer_norm(rows, shape[-1:])
    rate = network.run(rows) / before
    maps = rate.flatten(-map_of) if map_of else rate.unsqueeze(-1)
    torch.testing.assert_close(maps, maps[..., :1].expand_as(maps), rtol=1e-3, atol=1e-3)
    drawn = maps[..., 0]
    kept = drawn > 0.5
    torch.testing.assert_close(
        drawn[kept], torch.full_like(drawn[kept], 1 / 0.6), rtol=1e-3, atol=0
    )
    assert float(kept.double().mean()) == pytest.approx(0.6, abs=5 * (0.24 / kept.numel()) ** 0.5)
    assert torch.equal(network.eval().run(rows), network.run(rows))


def test_all_or_nothing_is_dropped_as_told() -> None:
    tasks = made_tasks("ab", (4,)).tasks
    rows = torch.randn(2, 5, 4)
    for probability, expected in ((0.0, rows), (1.0, torch.zeros_like(rows))):
        body = nn.Sequential(nn.Dropout(probability), nn.LayerNorm(4))
        outputs = MultiTaskNetwork(body, tasks).train().run(rows)
        torch.testing.assert_close(outputs, functional.layer_norm(expected, (4,)))
