"""Affine layers: whether the input joins the factors, and the joint equation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from softshare.network.execution.joining import joint_equation
from softshare.network.execution.task_linear import takes_input
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_train import TensorTrain
from softshare.tasks.task import Task


def test_the_input_is_one_more_operand() -> None:
    """The joint equation gives what composing first and multiplying then gives."""
    left, right = torch.randn(4, 2), torch.randn(3, 2, 5)  # (in, r) and (t, r, out)
    equation = "ir,tro->tio"
    weight = torch.einsum(equation, left, right)
    for one_input in (False, True):
        x = torch.randn(6, 4) if one_input else torch.randn(3, 6, 4)
        found = torch.einsum(joint_equation(equation, one_input), left, right, x)
        torch.testing.assert_close(found, x @ weight)


def test_only_several_factors_take_the_input() -> None:
    stacks = {"layer": torch.randn(3, 4, 5)}
    assert not takes_input(Independent().share(stacks)["layer"])
    assert takes_input(LastAxisFlattening(rank=2).share(stacks)["layer"])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("between", [(), (2,), (2, 3)], ids=str)
@pytest.mark.parametrize("n_rows", [1, 40], ids=["joins", "composes"])
def test_further_dimensions_of_rows_are_kept(
    n_rows: int, between: tuple[int, ...], bias: bool
) -> None:
    template = nn.Sequential(nn.Linear(8, 6, bias=bias), nn.Linear(6, 1, bias=bias))
    tasks = [Task(name, "binary") for name in "abc"]
    network = MultiTaskNetwork(template, tasks, sharing=TensorTrain(ranks=(2, 2)))
    rows = torch.randn(3, n_rows, *between, 8)
    singles = [network.task(task.name) for task in tasks]
    alone = torch.stack([single(own) for single, own in zip(singles, rows, strict=True)])
    torch.testing.assert_close(network.run(rows), alone)
    same = torch.stack([single(rows[0]) for single in singles])
    torch.testing.assert_close(network.run(rows[0], one_input=True), same)
