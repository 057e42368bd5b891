"""What a wrong argument says: the argument and the remedy, in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch import nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import lenet, mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit


def made_tasks(shape: tuple[int, ...] = (4,)) -> TaskSet:
    random = np.random.default_rng(0)
    data = {}
    for name in "ab":
        data[name] = random.normal(size=(12, *shape)).astype(np.float32), np.arange(12) % 2
    return TaskSet.from_arrays(data, kinds="binary")


@pytest.mark.parametrize(
    ("sharing", "message"),
    [
        ("tied", r"sharing: pass a sharing such as ss\.Tied\(\).*'tied'"),
        (Tied, r"sharing: .*the class Tied: call it, Tied\(…\)"),
        ({"*": Tied}, r"sharing\['\*'\].*the class Tied"),
        ({"*": "tied"}, r"sharing\['\*'\] must be a sharing.*'tied'"),
    ],
)
def test_what_is_no_sharing(sharing: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        MultiTaskNetwork(mlp, made_tasks(), sharing=sharing)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": pd.DataFrame({"x": [1.0]})}, r"train: pass a task set.*got DataFrame"),
        ({"validation": pd.DataFrame({"x": [1.0]})}, r"validation: pass a task set.*DataFrame"),
        ({"callbacks": [lambda network, step, loss: False]}, r"callbacks: each is an object with"),
        ({"schedule": "cosine"}, r"schedule: pass a function.*CosineAnnealingLR.*'cosine'"),
    ],
)
def test_what_fit_cannot_take(arguments: dict[str, Any], message: str) -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks)
    with pytest.raises(TypeError, match=message):
        fit(network, **{"train": tasks, "steps": 1, **arguments})


def test_a_template_of_another_width_than_the_inputs() -> None:
    template = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(7, 1))
    with pytest.raises(ValueError, match=r"task 'a' has inputs of shape \(2, 3\), 6 numbers.* 7;"):
        MultiTaskNetwork(template, made_tasks((2, 3)))
    MultiTaskNetwork(template, made_tasks((7,)))


def test_images_that_are_no_numbers_are_not_blamed_on_the_learning_rate() -> None:
    tasks = made_tasks((1, 8, 8))
    tasks.sources[0][:] = np.nan
    network = MultiTaskNetwork(lenet, tasks)
    with pytest.raises(FloatingPointError, match="its inputs hold nan or infinite values: fill"):
        fit(network, tasks, steps=1)
    with pytest.raises(FloatingPointError, match="try a smaller learning rate"):
        fit(MultiTaskNetwork(mlp, made_tasks()), made_tasks(), steps=50, learning_rate=1e30)


def test_what_is_no_network_is_told_by_its_type() -> None:
    tasks = TaskSet.from_arrays({"a": (np.zeros((4, 2)), np.arange(4) % 2)})
    with pytest.raises(TypeError, match=r"network: fit trains a MultiTaskNetwork, .* got Linear"):
        fit(nn.Linear(2, 1), tasks, steps=1)  # type: ignore[arg-type]


def test_one_callback_without_a_list_is_told_how_to_be_given() -> None:
    tasks = TaskSet.from_arrays({"a": (np.zeros((4, 2)), np.arange(4) % 2)})
    network = MultiTaskNetwork(mlp, tasks)
    with pytest.raises(TypeError, match=r"callbacks: a list of them, got .* alone"):
        fit(network, tasks, steps=1, callbacks=print)  # type: ignore[arg-type]
