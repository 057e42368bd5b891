"""The state belongs to tasks by their names, and says in which units it predicts."""

from __future__ import annotations

import copy
import io
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from softshare.data.table import read_table
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit


def network_of(names: str, seed: int = 0) -> MultiTaskNetwork:
    tasks = [Task(name, "binary") for name in names]
    return MultiTaskNetwork(
        mlp((4,), 1, hidden=(3,)), tasks, sharing=Independent(), initial="independent", seed=seed
    )


def test_a_state_of_the_same_tasks_is_taken_through_a_file() -> None:
    first, second = network_of("abc"), network_of("abc", seed=1)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    rows = torch.randn(5, 4)
    assert torch.equal(first.run(rows, one_input=True), second.run(rows, one_input=True))


@pytest.mark.parametrize("names", ["abd", "ab"])
def test_a_state_of_other_tasks_is_refused_by_name(names: str) -> None:
    network = network_of("abc")
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ValueError, match=rf"task 'c' at place 2.*'{names[2:] or 'no task'}"):
        network.load_state_dict(network_of(names, seed=1).state_dict())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_an_exchange_of_two_tasks_is_told() -> None:
    with pytest.raises(ValueError, match=r"task 'b' at place 1.*'c'.*same order"):
        network_of("abc").load_state_dict(network_of("acb").state_dict())


def test_names_of_several_factors_are_told_apart() -> None:
    def named(*names: tuple[str, ...]) -> MultiTaskNetwork:
        tasks = [Task(name, "binary") for name in names]
        return MultiTaskNetwork(mlp((4,), 1), tasks, sharing=Tied())

    first = named(("a", "x"), ("b", "y"))
    first.load_state_dict(named(("a", "x"), ("b", "y")).state_dict())
    with pytest.raises(ValueError, match="at place 1"):
        first.load_state_dict(named(("a", "x"), ("b", "z")).state_dict())


def test_the_units_of_the_targets_come_with_the_weights() -> None:
    random = np.random.default_rng(0)
    data = {name: (random.normal(size=(20, 4)), 100 + random.normal(size=20)) for name in "ab"}
    train, *_ = TaskSet.from_arrays(data).split(seed=0)
    first = MultiTaskNetwork(mlp, train, sharing=Tied())
    other = replace(train, target_scaling=np.array([[1.0, 2.0], [3.0, 4.0]]))
    second = MultiTaskNetwork(mlp, other, sharing=Tied(), seed=1)
    second.load_state_dict(first.state_dict())
    rows = train.examples(0)[0]
    assert torch.equal(second.task("a")(rows), first.task("a")(rows))
    assert np.array_equal(second.target_scaling, first.target_scaling)


def test_a_task_that_came_later_belongs_to_the_state() -> None:
    def made(seed: int) -> MultiTaskNetwork:
        tasks = [Task(name, "binary") for name in "ab"]
        return MultiTaskNetwork(mlp((4,), 1), tasks, sharing=Tied(), seed=seed)

    network, other = made(0), made(1)
    network.state_dict()
    network.add_task(Task("c", "binary"))
    with pytest.raises(ValueError, match="no task at place 2"):
        other.load_state_dict(network.state_dict())
    other.add_task(Task("c", "binary"))
    other.load_state_dict(network.state_dict())
    rows = torch.randn(3, 4)
    assert torch.equal(other.task("c")(rows), network.task("c")(rows))


def test_what_is_saved_suffices_to_predict_in_the_targets_units() -> None:
    random = np.random.default_rng(0)
    x = random.normal(60, 9, 90)
    frame = pd.DataFrame({"x": x, "shop": list("abc") * 30, "sales": 500 + 50 * (x - 60) / 9})
    train, *_ = read_table(frame, task="shop", target="sales").split(seed=0)
    template = partial(mlp, dropout=0.5)
    first = MultiTaskNetwork(template, train, sharing=Tied())
    fit(first, train, steps=3)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    later = MultiTaskNetwork(mlp((1,), 1), train.tasks, sharing=Tied())  # from names alone
    assert later.preprocessing == ()
    later.load_state_dict(torch.load(file, weights_only=True))
    new = pd.DataFrame({"x": [50.0, 70.0]})
    found = later.task("b")(later.preprocessing[0].transform(new))
    expected = first.task("b")(train.preprocessing[0].transform(new))
    torch.testing.assert_close(found, expected)
    assert 300 < found.mean() < 700
    assert not later.task("b").training
