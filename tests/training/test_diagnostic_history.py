"""What is read over training, against the scales themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.standard import mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.diagnostic_history import DiagnosticHistory
from softshare.training.fit import fit
from softshare.training.objective import Loss


def made_tasks() -> TaskSet:
    generator = np.random.default_rng(0)
    data = {
        name: (generator.normal(size=(16, 3)).astype(np.float32), np.arange(16) % 2)
        for name in ("a", "b")
    }
    return TaskSet.from_arrays(data, kinds="binary")


class Copies:
    """The scales after every step, taken by hand."""

    def __init__(self) -> None:
        self.scales: list[Tensor] = []

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        self.scales.append(network.layers["core.scales"].stacked().detach().softmax(-1))
        return False


def test_scales_over_training() -> None:
    tasks, seen, copies = made_tasks(), DiagnosticHistory(every=3), Copies()
    torch.manual_seed(0)
    network = MultiTaskNetwork(
        lambda shape, outputs: ordering_mlp(shape, outputs, width=4, depth=2), tasks, sharing=Tied()
    )
    fit(network, tasks, steps=7, learning_rate=0.1, callbacks=[seen, copies])
    assert [step for step, _ in seen.rows] == [3, 6]
    frame = seen.to_frame("ordering")
    assert list(frame.columns) == ["step", "module", "task", "depth", "layer", "value"]
    assert len(frame) == 2 * 2 * 2 * 2
    assert set(frame["module"]) == {"core.scales"}
    for row in frame.itertuples():
        expected = float(copies.scales[row.step - 1]["ab".index(row.task), row.depth, row.layer])
        assert row.value == pytest.approx(expected)
    assert frame["value"].nunique() > 4


def test_a_network_with_nothing_to_read() -> None:
    tasks, seen = made_tasks(), DiagnosticHistory(every=1)
    fit(MultiTaskNetwork(mlp, tasks), tasks, steps=2, callbacks=[seen])
    assert seen.rows == [(1, {}), (2, {})]
    assert seen.to_frame("ordering").empty
    with pytest.raises(ValueError, match="every must be at least 1"):
        DiagnosticHistory(every=0)
