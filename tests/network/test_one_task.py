"""One task's network as a plain module: ready to predict, in the target's own units."""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import softshare as ss
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates.standard import mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet


class Wrapped(nn.Module):
    """A forward of one's own, of which nothing says what comes last."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_in, 4)
        self.output = nn.Linear(4, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.first(x).relu()).sinh()


TEMPLATES = {
    "mlp": partial(mlp, hidden=(4,), dropout=0.5),
    "no bias": lambda shape, n: nn.Sequential(nn.Linear(shape[0], n, bias=False)),
    "one layer": lambda shape, n: nn.Linear(shape[0], n),
    "an activation last": lambda shape, n: nn.Sequential(nn.Linear(shape[0], n), nn.Tanh()),
    "a forward of its own": lambda shape, n: Wrapped(shape[0]),
}


def sales() -> tuple[TaskSet, TaskSet, TaskSet]:
    x = np.random.default_rng(0).normal(size=60)
    frame = pd.DataFrame({"x": x, "shop": list("abc") * 20, "sales": 500 + 50 * x})
    return ss.read_table(frame, task="shop", target="sales").split(seed=0)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_tasks_module_predicts_in_the_targets_own_units(name: str) -> None:
    train, _, test = sales()
    network = MultiTaskNetwork(TEMPLATES[name], train, sharing=Tied(bias="own"))
    scaled = predict(network, test)
    for number, task in enumerate("abc"):
        mean, deviation = train.target_scaling[number]
        module = network.task(task)
        assert not any(part.training for part in module.modules())
        outputs = module(test.examples(number)[0])
        torch.testing.assert_close(outputs, scaled[number] * deviation + mean)
        for copied in (
            copy.deepcopy(module),
            torch.export.export(module, (torch.zeros(3, 1),)).module(),
        ):
            torch.testing.assert_close(copied(test.examples(number)[0][:3]), outputs[:3])


def test_classifiers_keep_their_logits() -> None:
    random = np.random.default_rng(0)
    data = {name: (random.normal(size=(20, 4)), np.arange(20) % 2) for name in "ab"}
    train, *_ = TaskSet.from_arrays(data).split(seed=0)
    network = MultiTaskNetwork(mlp, train, sharing=Tied())
    rows = train.examples(1)[0]
    torch.testing.assert_close(network.task("b")(rows), network({"b": rows})["b"])
