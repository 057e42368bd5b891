"""Which layers of a chain are carried out together."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from softshare.network.execution import task_sequential
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


@pytest.mark.parametrize("one_input", [False, True])
@pytest.mark.parametrize("rows_at_a_time", [1, 2, 3, 5, 12, 20])
def test_dropout_in_a_stretch_is_what_it_is_layer_by_layer(
    rows_at_a_time: int, one_input: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [nn.Conv2d(1, 2, 3, padding=1), nn.Dropout(0.3), nn.Conv2d(2, 2, 3), nn.Dropout2d(0.4)]
    tasks = [Task(name, "binary") for name in "abc"]
    rows = torch.randn(*([] if one_input else [3]), 5, 1, 4, 4)
    bytes_a_row = 4 * 4 * 2 * 4  # the image, two channels, float32
    monkeypatch.setattr(task_sequential, "IN_CACHE", rows_at_a_time * bytes_a_row)
    template = nn.Sequential(*parts, nn.Flatten(), nn.Linear(8, 1))
    for sharing in ({"*": Tied(bias="tied")}, Independent()):
        network = MultiTaskNetwork(template, tasks, sharing=sharing).train()
        body = network.bodies[0]
        assert isinstance(body, TaskSequential)
        assert body._parts == [(0, 4), (4, 6)]
        outputs = []
        for stretches in (body._parts, [(place, place + 1) for place in range(6)]):
            body._parts = stretches
            torch.manual_seed(0)
            outputs.append(network.run(rows, one_input=one_input))
        torch.testing.assert_close(*outputs)
