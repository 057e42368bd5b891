"""Modules of any kind: their buffers, and their ways in evaluation mode."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task


def tasks_of(n_tasks: int) -> list[Task]:
    return [Task(str(number), "binary") for number in range(n_tasks)]


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.output = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.attention(x, x, x, need_weights=False)[0].mean(1))


def encoding() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(24, 1))


def stacked() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return nn.Sequential(encoder, nn.Flatten(), nn.Linear(24, 1))


@pytest.mark.parametrize("n_tasks", [2, 10])
@pytest.mark.parametrize("training", [False, True], ids=["evaluating", "training"])
@pytest.mark.parametrize("make", [Attending, encoding, stacked])
def test_attention_has_its_gradients_in_either_mode(
    make: Callable[[], nn.Module], training: bool, n_tasks: int
) -> None:
    torch.manual_seed(0)
    template = make()
    network = MultiTaskNetwork(template, tasks_of(n_tasks)).double().train(training)
    rows = torch.randn(n_tasks, 4, 3, 8, dtype=torch.float64, requires_grad=True)
    singles = [network.task(task.name) for task in network.tasks]
    alone = torch.stack([single(own) for single, own in zip(singles, rows, strict=True)])
    together = network.run(rows)
    torch.testing.assert_close(together, alone)
    wanted, found = (torch.autograd.grad(y.square().sum(), rows)[0] for y in (alone, together))
    torch.testing.assert_close(found, wanted)
    with torch.no_grad():
        torch.testing.assert_close(network.run(rows), alone)


class Counting(nn.Module):
    """Adds how many rows it has seen; the count is assigned, not changed in place."""

    def __init__(self, *, persistent: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))
        self.register_buffer("seen", torch.zeros(()), persistent=persistent)

    def forward(self, x: Tensor) -> Tensor:
        self.seen = self.seen + x.abs().sum()
        return x * self.weight + self.seen


class CountingInPlace(Counting):
    def forward(self, x: Tensor) -> Tensor:
        self.seen += x.abs().sum()
        return x * self.weight + self.seen


@pytest.mark.parametrize("tasks", [None, [2, 0], [1, 1]], ids=["all", "some", "one twice"])
@pytest.mark.parametrize("sharing", [Independent(), Tied()], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("make", [Counting, CountingInPlace])
@pytest.mark.parametrize("persistent", [True, False])
def test_buffers_changed_in_forward_are_kept_by_task(
    make: type[Counting], sharing: Sharing, tasks: list[int] | None, persistent: bool
) -> None:
    template = nn.Sequential(make(persistent=persistent), nn.Linear(4, 1))
    network = MultiTaskNetwork(template, tasks_of(3), sharing=sharing)
    chosen = tasks or [0, 1, 2]
    singles = [network.task(task.name) for task in network.tasks]
    for _ in range(2):
        rows = torch.randn(len(chosen), 5, 4)
        joint = network.run(rows, tasks=None if tasks is None else torch.tensor(tasks))
        joint.sum().backward()
        alone = [singles[task](own) for task, own in zip(chosen, rows, strict=True)]
        torch.testing.assert_close(joint, torch.stack(alone))
    for single, task in zip(singles, network.tasks, strict=True):
        torch.testing.assert_close(network.task(task.name)[0].seen, single[0].seen)


def test_a_buffer_is_saved_where_the_templates_is() -> None:
    for persistent in (True, False):
        template = nn.Sequential(Counting(persistent=persistent), nn.Linear(4, 1))
        network = MultiTaskNetwork(template, tasks_of(2))
        saved = [name for name in network.state_dict() if name.startswith("bodies.")]
        assert bool(saved) == persistent


def test_planning_and_kept_statistics_change_no_buffer() -> None:
    template = nn.Sequential(Counting(), nn.Linear(4, 1))
    network = MultiTaskNetwork(template, tasks_of(3), sharing=Tied())
    before = copy.deepcopy(network.state_dict())
    network.plan(torch.randn(3, 5, 4))
    torch.testing.assert_close(network.state_dict(), before)
    network.bodies[0][0].keep_statistics(2)
    network.run(torch.randn(3, 5, 4))
    changed = network.task("2")[0].seen
    assert changed > 0
    assert network.task("0")[0].seen == network.task("1")[0].seen == 0


def test_a_buffer_that_changes_its_shape_is_refused() -> None:
    class Growing(Counting):
        def forward(self, x: Tensor) -> Tensor:
            self.seen = torch.cat([self.seen.reshape(-1), x.new_ones(1)])
            return x * self.weight

    network = MultiTaskNetwork(nn.Sequential(Growing(), nn.Linear(4, 1)), tasks_of(2))
    with pytest.raises(RuntimeError, match=r"0: .*'seen' the shape \(2,\) instead of \(\)"):
        network.run(torch.randn(2, 5, 4))
