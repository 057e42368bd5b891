"""Predictions in pieces are those of each task's own network on all its rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.network import predict as module
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates import mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet


@pytest.mark.parametrize(("few", "numbers"), [(32, 1 << 23), (1, 1), (3, 1), (2, 60)])
def test_rows_that_go_through_at_once_change_nothing(few: int, numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW_ROWS", few)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", numbers)
    random = np.random.default_rng(0)
    tasks = TaskSet.from_arrays({f"t{size}": (random.normal(size=(size, 6)), np.arange(size) % 2) for size in (5, 11, 2)})
    network = MultiTaskNetwork(mlp, tasks, sharing=Tied())
    for number, outputs in enumerate(predict(network, tasks)):
        inputs, _ = tasks.examples(number)
        with torch.no_grad():
            torch.testing.assert_close(outputs, network.task(tasks.names[number])(inputs))
