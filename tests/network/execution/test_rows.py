"""Modules without parameters on one copy of the rows, or on one for each task."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout
from softshare.network.execution.noise import TaskNoise
from softshare.network.execution.rows import JoinedRows, OwnRows


class Shapes(nn.Module):
    """Keeps the shapes that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(tuple(x.shape))
        return x


def test_one_copy_stays_one_unless_equal_rows_may_come_out_different() -> None:
    for kind, wanted in ((JoinedRows, (4, 3)), (OwnRows, (8, 3))):
        layout = BatchLayout(TaskNoise("ab"))
        layout.n_tasks, layout.one_copy = 2, True
        module = Shapes()
        kind(module, layout)(torch.randn(4, 3))
        assert module.seen == [wanted]


def test_rows_that_lie_apart_are_joined() -> None:
    for kind in (JoinedRows, OwnRows):
        layout = BatchLayout(TaskNoise("ab"))
        layout.n_tasks, layout.apart = 2, True
        module = Shapes()
        kind(module, layout)(torch.randn(2, 4, 3))
        assert module.seen == [(8, 3)]
