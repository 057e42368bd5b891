"""Convolutions of every number of dimensions and precision, against the tasks' own networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from softshare.network.execution.task_conv import rows_of_tasks
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker
from softshare.tasks.task import Task

CONVOLUTIONS = {
    "one channel out": (nn.Conv2d(3, 1, 3), (3, 5, 5)),
    "one channel in": (nn.Conv2d(1, 3, 3), (1, 5, 5)),
    "one channel": (nn.Conv2d(1, 1, 3), (1, 5, 5)),
    "the whole image": (nn.Conv2d(3, 1, 5), (3, 5, 5)),
    "window of one": (nn.Conv2d(3, 2, 1), (3, 5, 5)),
    "by channel": (nn.Conv2d(4, 4, 3, groups=4), (4, 5, 5)),
    "1d": (nn.Conv1d(3, 1, 3), (3, 5)),
    "3d": (nn.Conv3d(3, 1, 3), (3, 4, 4, 4)),
    "transposed 1d": (nn.ConvTranspose1d(3, 1, 3), (3, 5)),
    "transposed 2d": (nn.ConvTranspose2d(3, 1, 3), (3, 5, 5)),
}


@pytest.mark.parametrize("one_input", [False, True], ids=["own rows", "same rows"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "sharing", [Independent(), Tied(), Tucker(1.0)], ids=lambda sharing: type(sharing).__name__
)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_of_every_precision_have_gradients(
    name: str, sharing: Sharing, dtype: torch.dtype, one_input: bool
) -> None:
    conv, shape = CONVOLUTIONS[name]
    width = conv(torch.zeros(1, *shape)).numel()
    template = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(width, 1))
    tasks = [Task(name, "binary") for name in "ab"]
    shared = {"0": sharing, "*": Independent()}
    network = MultiTaskNetwork(template, tasks, sharing=shared).to(dtype)
    rows = torch.randn(*(() if one_input else (2,)), 4, *shape, dtype=dtype, requires_grad=True)
    outputs = network.run(rows, one_input=one_input)
    (gradient,) = torch.autograd.grad(outputs.square().sum(), rows, retain_graph=True)
    outputs.square().sum().backward()
    own = rows.expand(2, *rows.shape) if one_input else rows
    singles = [network.task(task.name) for task in tasks]
    alone = torch.stack([single(x) for single, x in zip(singles, own, strict=True)])
    (wanted,) = torch.autograd.grad(alone.square().sum(), rows)
    precision = {"rtol": 0.1, "atol": 0.1} if dtype == torch.bfloat16 else {}
    torch.testing.assert_close(outputs, alone, **precision)
    torch.testing.assert_close(gradient, wanted, **precision)
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_channels_side_by_side_become_rows_one_after_the_other() -> None:
    y = torch.arange(2 * 6).view(2, 6, 1)  # two rows, two channels of each of three tasks
    rows = rows_of_tasks(y, 3)
    assert rows.flatten(1).tolist() == [[0, 1], [6, 7], [2, 3], [8, 9], [4, 5], [10, 11]]
