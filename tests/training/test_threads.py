"""Runs in threads of one process are the runs that they are alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.independent import Independent
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit

RUNS = 6


class Noisy(nn.Module):
    """Draws from PyTorch's own generator in its forward."""

    def __init__(self, n_in: int, n_outputs: int) -> None:
        super().__init__()
        self.first, self.output = nn.Linear(n_in, 8), nn.Linear(8, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(functional.dropout(self.first(x), 0.5, self.training))


def recurrent(shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    return nn.Sequential(nn.Unflatten(1, (2, 2)), Last(2), nn.Linear(3, n_outputs))


class Last(nn.Module):
    """The last output of a recurrent layer with dropout of its own."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.layer = nn.GRU(n_in, 3, num_layers=2, dropout=0.5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0][:, -1]


TEMPLATES: dict[str, Callable[..., nn.Module]] = {
    "dropout": partial(mlp, hidden=(8,), dropout=0.5),
    "a forward that draws": lambda shape, n: Noisy(shape[0], n),
    "a recurrent layer that draws": recurrent,
}


def made_tasks() -> TaskSet:
    random = np.random.default_rng(0)
    data = {
        name: (random.normal(size=(20, 4)).astype(np.float32), np.arange(20) % 2) for name in "abc"
    }
    return TaskSet.from_arrays(data, kinds="binary")


def trained(name: str, seed: int) -> Tensor:
    tasks = made_tasks()
    network = MultiTaskNetwork(
        TEMPLATES[name], tasks, sharing=Independent(), initial="common", seed=seed
    )
    fit(network, tasks, steps=15, batch_size=8, learning_rate=0.01, seed=seed)
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("name", TEMPLATES)
def test_runs_in_two_threads_are_the_runs_one_after_the_other(name: str) -> None:
    alone = [trained(name, seed) for seed in range(RUNS)]
    assert not torch.equal(alone[0], alone[1])
    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(partial(trained, name), range(RUNS)))
    assert all(torch.equal(first, second) for first, second in zip(alone, beside, strict=True))


@pytest.mark.parametrize("name", TEMPLATES)
def test_training_depends_on_no_generator_and_leaves_it_as_it_was(name: str) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = trained(name, 0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(trained(name, 0), first)
