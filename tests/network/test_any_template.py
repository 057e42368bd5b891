"""Templates that are no chain of known layers: modules used twice, rows in other dimensions,
weights that a forward reads itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from softshare.network.freezing import freeze
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


def tasks_of(count: int) -> list[Task]:
    return [Task(f"task {number}", "regression") for number in range(count)]


class Around(nn.Module):
    """A forward around one inner module and a head; what it does is given."""

    def __init__(self, inner: nn.Module, width: int, call: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.inner, self.head, self._call = inner, nn.Linear(width, 1), call

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self._call(self.inner, x))


class Decoder(nn.Module):
    """A forward that reads a layer's weight."""

    task_by_task = True

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = nn.Linear(5, 4), nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(nn.functional.linear(self.encoder(x), self.encoder.weight.T))


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scales, self.head = (
            nn.ParameterList([nn.Parameter(torch.randn(5)) for _ in range(2)]),
            nn.Linear(5, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        for scale in self.scales:
            x = x * scale
        return self.head(x)


def used_twice() -> nn.Module:
    layer = nn.Linear(5, 5)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(5, 1))


def called_twice(inner: Any, x: Tensor) -> Tensor:
    return inner(inner(x).relu())


class Centred(nn.Module):
    """What only a loop over the tasks can do, and no parameter tells."""

    task_by_task = True

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0)


TEMPLATES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "one module in two places": (used_twice, (5,)),
    "one module called twice": (lambda: Around(nn.Linear(5, 5), 5, called_twice), (5,)),
    "time first": (
        lambda: Around(nn.LSTM(5, 4), 4, lambda inner, x: inner(x.transpose(0, 1))[0][-1]),
        (6, 5),
    ),
    "the last state": (
        lambda: Around(nn.GRU(5, 4, batch_first=True), 4, lambda inner, x: inner(x)[1][-1]),
        (6, 5),
    ),
    "a cell of two states": (
        lambda: Around(nn.LSTMCell(5, 4), 4, lambda inner, x: inner(x)[0]),
        (5,),
    ),
    "attention by keywords": (
        lambda: Around(
            nn.MultiheadAttention(6, 2),
            6,
            lambda inner, x: inner(query=x, key=x, value=x)[0].mean(1),
        ),
        (6, 6),
    ),
    "a transformer": (
        lambda: Around(
            nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True),
            6,
            lambda inner, x: inner(x).mean(1),
        ),
        (4, 6),
    ),
    "a list of parameters": (Scaled, (5,)),
    "a weight read by the forward": (Decoder, (5,)),
    "across rows": (lambda: nn.Sequential(nn.Linear(5, 4), Centred(), nn.Linear(4, 1)), (5,)),
    "batch norm without values": (
        lambda: nn.Sequential(
            nn.Linear(5, 4),
            nn.BatchNorm1d(4, affine=False, track_running_stats=False),
            nn.Linear(4, 1),
        ),
        (5,),
    ),
}


@pytest.mark.filterwarnings(
    "ignore:enable_nested_tensor:UserWarning",
    "ignore:The PyTorch API of nested tensors:UserWarning",
)
@pytest.mark.parametrize(
    "sharing",
    [Independent(), Tied(), LastAxisFlattening(rank=2)],
    ids=lambda sharing: type(sharing).__name__,
)
@pytest.mark.parametrize("n_tasks", [2, 12])
@pytest.mark.parametrize("name", TEMPLATES)
def test_it_equals_the_tasks_own_networks(name: str, n_tasks: int, sharing: Sharing) -> None:
    make, shape = TEMPLATES[name]
    torch.manual_seed(0)
    network = MultiTaskNetwork(
        make(), tasks_of(n_tasks), sharing=sharing, initial="independent"
    ).double()
    rows = torch.randn(n_tasks, 2 * n_tasks, *shape, dtype=torch.float64)
    for module in (network.train(), network.eval()):
        expected = torch.stack(
            [module.task(task.name)(own) for task, own in zip(network.tasks, rows, strict=True)]
        )
        torch.testing.assert_close(module.run(rows), expected, rtol=1e-9, atol=1e-9)


def test_a_module_in_two_places_is_one_layer() -> None:
    network = MultiTaskNetwork(used_twice(), tasks_of(3), initial="independent")
    assert not [name for name, _ in network.named_parameters() if name.startswith("bodies")]
    freeze(network, "0")
    network.run(torch.randn(3, 4, 5)).sum().backward()
    assert [
        path
        for path, weight in network.shared_weights.items()
        if next(weight.parameters()).grad is not None
    ] == ["3.weight", "3.bias"]


def test_parameters_tied_between_modules_are_refused() -> None:
    template = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.Linear(5, 1))
    template[2].weight = template[0].weight
    with pytest.raises(ValueError, match=r"0\.weight and 2\.weight are one parameter"):
        MultiTaskNetwork(template, tasks_of(2), initial="independent")


def test_what_reads_a_layers_weight_is_told_what_to_do() -> None:
    class Reading(Decoder):
        task_by_task = False

    network = MultiTaskNetwork(Reading(), tasks_of(2), initial="independent")
    with pytest.raises(AttributeError, match=r"no 'weight'.*task_by_task = True"):
        network.run(torch.randn(2, 3, 5))


@pytest.mark.parametrize("options", [{"padding_idx": 0}, {"scale_grad_by_freq": True}], ids=str)
@pytest.mark.parametrize(
    "sharing", [Independent(), Tied()], ids=lambda sharing: type(sharing).__name__
)
def test_an_embeddings_options_hold_in_all_tasks(options: dict[str, Any], sharing: Sharing) -> None:
    template = Around(nn.Embedding(7, 4, **options), 4, lambda inner, x: inner(x).mean(1))
    network = MultiTaskNetwork(
        template, tasks_of(12), sharing=sharing, initial="independent"
    ).double()
    rows = torch.randint(0, 7, (12, 5, 3))
    network.run(rows).sum().backward()
    singles = [network.task(task.name).train() for task in network.tasks]
    for single, own in zip(singles, rows, strict=True):
        single(own).sum().backward()
    expected = torch.stack([single.inner.weight.grad for single in singles])
    found = next(network.shared_weight("inner.weight").parameters()).grad
    torch.testing.assert_close(found, expected.sum(0) if isinstance(sharing, Tied) else expected)


def test_a_task_twice_in_one_pass_learns_its_statistics_twice() -> None:
    network = MultiTaskNetwork(
        nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 1)), tasks_of(3), initial="independent"
    )
    single = network.task("task 1").train()
    rows = torch.randn(2, 6, 5) + 3
    network.run(rows, tasks=torch.tensor([1, 1]))
    for own in rows:
        single(own)
    torch.testing.assert_close(network.task("task 1")[0].state_dict(), single[0].state_dict())


def test_layers_run_again_outside_the_pass_are_refused() -> None:
    template = Around(
        nn.Linear(5, 5), 5, lambda inner, x: checkpoint(inner, x, use_reentrant=False)
    )
    network = MultiTaskNetwork(template, tasks_of(4), initial="independent")
    total = sum(
        network.run(torch.randn(2, 6, 5), tasks=torch.tensor(pair)).sum()
        for pair in ([0, 1], [2, 3])
    )
    with pytest.raises(RuntimeError, match="checkpointing"):
        total.backward()


def test_a_layer_across_padded_outputs_is_refused() -> None:
    data = {
        "a": (torch.randn(6, 5).numpy(), [0, 1, 2] * 2),
        "b": (torch.randn(6, 5).numpy(), [0, 1, 2, 3, 4, 0]),
    }
    tasks = TaskSet.from_arrays(data, kinds="multiclass")
    MultiTaskNetwork(
        lambda shape, n_outputs: nn.Sequential(
            nn.Linear(5, 2 * n_outputs), nn.ReLU(), nn.Linear(2 * n_outputs, n_outputs)
        ),
        tasks,
    )
    with pytest.raises(ValueError, match=r"LogSoftmax \('1'\).*0\.weight.*widths"):
        MultiTaskNetwork(
            lambda shape, n_outputs: nn.Sequential(nn.Linear(5, n_outputs), nn.LogSoftmax(-1)),
            tasks,
        )


@pytest.mark.parametrize(
    "sharing", [Tucker(0.5), LastAxisFlattening(rank=2)], ids=lambda sharing: type(sharing).__name__
)
def test_sparse_rows_of_tasks_on_a_grid(sharing: Sharing) -> None:
    tasks = [Task((a, b), "regression") for a in "xyz" for b in "pq"]
    template = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))
    rows, numbers = torch.randn(2, 7, 5), torch.tensor([4, 1])
    gradients = []
    for sparse_rows in (True, False):
        network = MultiTaskNetwork(
            template, tasks, sharing=sharing, sparse_rows=sparse_rows, initial="independent"
        )
        network.run(rows, tasks=numbers).square().sum().backward()
        gradients.append([parameter.grad.to_dense() for parameter in network.parameters()])
    torch.testing.assert_close(*gradients)


def test_wrong_rows_are_refused() -> None:
    network = MultiTaskNetwork(nn.Sequential(nn.Linear(5, 1)), tasks_of(3), initial="independent")
    with pytest.raises(ValueError, match=r"2 in this pass.*\(3, 4, 5\).*one_input=True"):
        network.run(torch.randn(3, 4, 5), tasks=torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="0 in this pass"):
        network.run(torch.randn(0, 4, 5), tasks=torch.tensor([], dtype=torch.long))
    with pytest.raises(ValueError, match="may be 3 rows that all tasks see"):
        network(torch.randn(3, 4, 5))
    with pytest.raises(TypeError, match="mapping from task name"):
        network([1.0])
    assert network(torch.randn(3, 5)).shape == (3, 3, 1)


def test_the_plan_takes_what_the_network_takes() -> None:
    rows = torch.randn(8, 5)
    tasks = TaskSet.from_arrays({name: (rows.numpy(), [0, 1] * 4) for name in "ab"}, kinds="binary")
    network = MultiTaskNetwork(
        nn.Sequential(nn.BatchNorm1d(5, affine=False), nn.Linear(5, 1)),
        tasks,
        initial="independent",
    )
    assert [decision.layer for decision in network.plan(rows)] == ["0", "1"]
    assert [decision.layer for decision in network.plan({"a": rows, "b": rows})] == ["0", "1"]
