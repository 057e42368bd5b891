"""Norms of all tasks at once, against each task's own."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from softshare.network.execution.task_norm import AT_ONCE

NORMS = {
    "batch": (nn.BatchNorm1d(4), (5, 4)),
    "batch 2d": (nn.BatchNorm2d(4), (5, 4, 3, 2)),
    "batch 3d": (nn.BatchNorm3d(4), (5, 4, 3, 2, 2)),
    "batch without affine": (nn.BatchNorm1d(4, affine=False), (5, 4)),
    "batch without statistics": (nn.BatchNorm1d(4, track_running_stats=False), (5, 4)),
    "layer": (nn.LayerNorm(4), (5, 3, 4)),
    "layer without bias": (nn.LayerNorm((3, 4), bias=False), (5, 3, 4)),
    "group": (nn.GroupNorm(2, 4), (5, 4, 3)),
    "group without affine": (nn.GroupNorm(2, 4, affine=False), (5, 4, 3)),
}


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluating"])
@pytest.mark.parametrize("name", NORMS)
def test_all_at_once_is_one_by_one(name: str, training: bool) -> None:
    torch.manual_seed(0)
    module, shape = NORMS[name]
    modules = [copy.deepcopy(module).train(training) for _ in range(3)]
    with torch.no_grad():
        for own in modules:
            for parameter in own.parameters():
                parameter.normal_()
    parameters = {
        path: torch.stack([own.get_parameter(path) for own in modules]).detach()
        for path, _ in module.named_parameters()
    }
    buffers = {
        path: torch.stack([own.get_buffer(path) for own in modules])
        for path, _ in module.named_buffers()
    }
    x = 2 * torch.randn(3, *shape) + 1
    alone = torch.stack([own(rows) for own, rows in zip(modules, x, strict=True)])
    found = AT_ONCE[type(module)](modules[0], x, parameters, buffers)
    torch.testing.assert_close(found, alone)
    for path, stacked in buffers.items():
        for own, row in zip(modules, stacked, strict=True):
            torch.testing.assert_close(row, own.get_buffer(path))
