"""Which layers of a chain are carried out together."""

from __future__ import annotations

import torch
from torch import nn

from softshare.network.execution.task_sequential import TaskSequential, channels_last
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task


def test_stretches_begin_at_convolutions_and_where_sharing_changes() -> None:
    template = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),  # shared
        nn.Mish(),
        nn.Conv2d(2, 2, 3, padding=1),  # shared
        nn.MaxPool2d(2),
        nn.Conv2d(2, 2, 3, padding=1),  # the tasks' own
        nn.ReLU(),
        nn.Softmax(1),  # looks beyond a channel
        nn.Flatten(),
        nn.Linear(8, 1),
    )
    tied = Tied(bias="tied")
    network = MultiTaskNetwork(
        template,
        [Task(name, "binary") for name in "ab"],
        sharing={"0": tied, "2": tied, "4": Independent()},
    )
    body = network.bodies[0]
    assert isinstance(body, TaskSequential)
    assert body._parts == [(0, 4), (4, 6), (6, 9)]
    rows = torch.randn(2, 5, 1, 4, 4)
    alone = torch.stack([network.task(name)(own) for name, own in zip("ab", rows, strict=True)])
    torch.testing.assert_close(network.run(rows), alone)


def test_channels_last_is_said_by_strides_for_one_channel_too() -> None:
    for n_channels in (1, 3):
        x = torch.randn(2, n_channels, 4, 5)
        turned = channels_last(x)
        assert torch.equal(turned, x)
        assert turned.stride() == (20 * n_channels, 1, 5 * n_channels, n_channels)
