"""What inputs are to a network's tasks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from softshare.network.dispatch import is_of_one_task, is_one_input, run_by_name
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task import Task


def made_network() -> MultiTaskNetwork:
    tasks = [Task(name, "binary") for name in "abc"]
    return MultiTaskNetwork(nn.Linear(4, 1), tasks, initial="independent")


def test_by_name_each_task_has_its_rows_in_the_order_of_the_inputs() -> None:
    network = made_network()
    inputs = {"c": torch.randn(2, 4), "a": torch.randn(5, 4), "b": torch.randn(2, 4)}
    outputs = run_by_name(network, inputs)
    assert list(outputs) == ["c", "a", "b"]
    for name, rows in inputs.items():
        torch.testing.assert_close(outputs[name], network.task(name)(rows))


def test_rows_that_all_tasks_see_have_one_dimension_more_than_one_example() -> None:
    assert is_of_one_task(torch.zeros(7, 2, 3), (2, 3))
    assert not is_of_one_task(torch.zeros(4, 7, 2, 3), (2, 3))
    assert not is_of_one_task(torch.zeros(7, 3), ())


def test_a_shape_that_may_mean_either_is_refused() -> None:
    network = made_network()
    assert is_one_input(network, torch.zeros(3, 4))
    with pytest.raises(ValueError, match="one_input=True"):
        is_one_input(network, torch.zeros(3, 5, 4))
