"""What draws from PyTorch's generator draws its own in every process."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task_set import TaskSet
from softshare.training import fit as module
from softshare.training.distributed import Processes
from softshare.training.fit import fit

seen: list[Tensor] = []


class Drawing(nn.Linear):
    """Draws beside its work, as a module of another library might."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            seen.append(torch.rand(3))
        return super().forward(x)


def drawn(rank: int, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """The first draw of a training in the process of this number."""
    tasks = TaskSet.from_arrays({"a": (np.zeros((4, 2)), np.arange(4) % 2)})

    def processes(*_: object) -> Processes:
        alone = Processes()
        alone.rank = rank
        return alone

    monkeypatch.setattr(module, "processes_for", processes)
    seen.clear()
    fit(MultiTaskNetwork(Drawing(2, 1), tasks), tasks, steps=1, seed=5)
    return seen[0]


def test_processes_draw_differently_and_each_the_same_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, again = (drawn(rank, monkeypatch) for rank in (0, 1, 1))
    assert not torch.equal(first, second)
    assert torch.equal(second, again)
