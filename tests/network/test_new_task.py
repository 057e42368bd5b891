"""A task that comes later: it learns its own on frozen shared parts, unnoticed by the others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit
from softshare.training.lazy_adam import LazyAdam

SHARINGS: list[Sharing] = [
    Tied(),
    Tied(bias="own"),
    LastAxisFlattening(rank=2),
    Tucker(ranks=1.0, task_rank=0.6),
    TensorTrain(ranks=0.6),
    TensorRing(ranks=2, shared=2, cores=3),
]


def made_tasks(*names: str, rows: int = 24) -> TaskSet:
    common = np.random.default_rng(0).normal(size=8)
    data = {}
    for name in names:
        generator = np.random.default_rng(list(name.encode()))
        inputs = generator.normal(size=(rows, 8)).astype(np.float32)
        data[name] = (inputs, (inputs @ (common + 0.2 * generator.normal(size=8)) > 0).astype(int))
    return TaskSet.from_arrays(data, kinds="binary")


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_a_new_task_learns_and_the_others_stay_bit_for_bit(sharing: Sharing) -> None:
    old, new = made_tasks("a", "b", "c"), made_tasks("new")
    network = MultiTaskNetwork(partial(mlp, hidden=(6, 6)), old, sharing=sharing)
    fit(network, old, steps=60, learning_rate=0.01)
    rows = torch.randn(9, 8)
    kept = {name: copy.deepcopy(network.task(name)).eval() for name in old.names}
    joint = network.run(rows, one_input=True)

    network.add_task(new)
    before = float(fit(copy.deepcopy(network), new, steps=1).column("train_loss")[0])
    after = fit(
        network, new, steps=150, learning_rate=0.03, optimizer=partial(AdamW, weight_decay=0.1)
    ).column("train_loss")[-1]

    assert after < 0.8 * before
    for name, module in kept.items():
        now = network.task(name).eval()
        assert all(
            torch.equal(value, now.state_dict()[key]) for key, value in module.state_dict().items()
        )
        assert torch.equal(now(rows), module(rows))
    torch.testing.assert_close(network.run(rows, one_input=True)[:3], joint, rtol=3e-6, atol=1e-6)
    torch.testing.assert_close(
        network.eval().run(rows, one_input=True)[3], network.task("new")(rows)
    )


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_only_what_is_the_tasks_own_can_be_trained(sharing: Sharing) -> None:
    network = MultiTaskNetwork(partial(mlp, hidden=(6, 6)), made_tasks("a", "b"), sharing=sharing)
    own = sum(value.numel() for value in network.own_values(0))
    network.add_task(made_tasks("new"))
    assert (
        sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
        == own
    )
    assert sum(value.numel() for value in network.own_values(2)) == own
    network.add_task(made_tasks("newer"))
    assert (
        sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
        == own
    )
    assert [task.name for task in network.tasks] == ["a", "b", "new", "newer"]


def test_a_new_task_with_outputs_of_another_width() -> None:
    old = made_tasks("a", "b")
    network = MultiTaskNetwork(mlp, old, sharing=LastAxisFlattening(rank=2))
    rows = torch.randn(5, 8)
    before = network(dict.fromkeys(old.names, rows))
    new = TaskSet.from_arrays({"three": (torch.randn(12, 8), [0, 1, 2] * 4)}, kinds="multiclass")
    network.add_task(new)
    after = network({"three": rows, "b": rows, "a": rows})
    assert after["three"].shape == (5, 3)
    for name in old.names:
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=1e-6)
    fit(network, new, steps=3)


class Normed(nn.Module):
    """A norm inside a module of no known type, which runs task by task."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.norm(x)


@pytest.mark.parametrize(
    "norm",
    [lambda: nn.BatchNorm1d(4), lambda: nn.BatchNorm1d(4, affine=False), Normed],
    ids=["at once", "bare", "loop"],
)
@pytest.mark.parametrize("sharing", [Tied(), LastAxisFlattening(rank=2)], ids=repr)
def test_a_new_task_learns_its_running_statistics_and_the_others_keep_theirs(
    sharing: Sharing, norm: Callable[[], nn.Module]
) -> None:
    old = made_tasks("a", "b")
    network = MultiTaskNetwork(
        nn.Sequential(nn.Linear(8, 4), norm(), nn.Linear(4, 1)),
        old,
        sharing=sharing,
        initial="independent",
    )
    network.run(torch.randn(2, 9, 8))
    before = {name: copy.deepcopy(network.task(name)).state_dict() for name in old.names}
    network.add_task(made_tasks("new"))
    rows = 3 + torch.randn(90, 8)
    for _ in range(60):
        network.run(rows, one_input=True)  # the others run beside it, and are not to notice
        network.run(rows.unsqueeze(0), tasks=torch.tensor([2]))
    for name, values in before.items():
        assert all(
            torch.equal(value, values[key])
            for key, value in network.task(name).state_dict().items()
        )
    module = network.task("new").eval()
    hidden = module[0](rows)
    (mean,) = (value for name, value in module.named_buffers() if name.endswith("running_mean"))
    torch.testing.assert_close(mean, hidden.mean(0))
    torch.testing.assert_close(module[1](hidden).std(0), torch.ones(4), rtol=0.05, atol=0.05)


def test_running_statistics_stay_of_their_type_and_on_their_device() -> None:
    template = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    network = MultiTaskNetwork(
        template, made_tasks("a", "b"), sharing=Tied(), initial="independent"
    ).double()
    network.run(torch.randn(2, 9, 8).double())
    before = network.task("b").state_dict()
    shared = network.with_sharing(LastAxisFlattening(rank=2))
    network.add_task(made_tasks("new"))
    for number, other in ((2, shared), (3, network)):
        assert other.eval().run(torch.randn(number, 5, 8).double()).dtype == torch.float64
        assert torch.equal(other.task("b")[1].running_mean, before["1.running_mean"])
    elsewhere = network.to("meta")
    elsewhere.add_task(made_tasks("newer"))
    assert {value.device.type for value in (*elsewhere.buffers(), *elsewhere.parameters())} == {
        "meta"
    }


def test_a_network_shared_otherwise_does_not_notice_a_new_task() -> None:
    network = MultiTaskNetwork(mlp, made_tasks("a", "b"), sharing=Tied())
    network.with_sharing(LastAxisFlattening(rank=1)).add_task(made_tasks("new"))
    assert [task.name for task in network.tasks] == ["a", "b"]
    with pytest.raises(KeyError, match="new"):
        network.number("new")


def test_what_cannot_take_a_task_says_why_and_stays_as_it_was() -> None:
    old, new = made_tasks("a", "b"), made_tasks("new")
    with pytest.raises(ValueError, match="nothing is shared"):
        MultiTaskNetwork(mlp, old, sharing=Independent()).add_task(new)
    regularised = MultiTaskNetwork(mlp, old, sharing=TraceNorm("laf"))
    with pytest.raises(ValueError, match=r"layer 'layers\.0': .* takes no new task"):
        regularised.add_task(new)
    assert len(regularised.tasks) == 2
    assert all(parameter.requires_grad for parameter in regularised.parameters())
    tied = MultiTaskNetwork(mlp((8,), 1), old.tasks, sharing=Tied(), initial="independent")
    with pytest.raises(ValueError, match="there is a task 'a' already"):
        tied.add_task(Task("a", "binary"))
    with pytest.raises(ValueError, match=r"task 'm' needs 3 output\(s\)"):
        tied.add_task(Task("m", "multiclass", 3))
    with pytest.raises(ValueError, match="one task at a time"):
        tied.add_task(old)
    wide = TaskSet.from_arrays({"wide": (torch.randn(6, 11), [0, 1] * 3)}, kinds="binary")
    with pytest.raises(ValueError, match=r"layer 'layers\.0'.*\(11, 64\)"):
        MultiTaskNetwork(mlp, old, sharing=Tied()).add_task(wide)


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_what_is_wholly_its_own_starts_from_the_template(sharing: Sharing) -> None:
    network = MultiTaskNetwork(
        partial(mlp, hidden=(6, 6)), made_tasks("a", "b"), sharing=sharing, seed=3
    )
    fit(network, made_tasks("a", "b"), steps=5)
    network.add_task(made_tasks("new"))
    torch.manual_seed(3)
    template = mlp((8,), 1, hidden=(6, 6))
    assert torch.equal(network.layers["output"].of(2), template.get_parameter("output.weight").T)
    assert torch.equal(
        network.shared_weight("output.bias").of(2), template.get_parameter("output.bias")
    )


def test_rings_of_tasks_with_different_inputs_take_a_task_of_a_size_that_there_is() -> None:
    def made(**widths: int) -> TaskSet:
        return TaskSet.from_arrays(
            {name: (torch.randn(12, width), [0, 1] * 6) for name, width in widths.items()},
            kinds="binary",
        )

    old = made(a=4, b=6, c=4)
    network = MultiTaskNetwork(
        partial(mlp, hidden=(6, 6)), old, sharing={"layers.*": TensorRing(2, shared=1, cores=2)}
    )
    rows = {task.name: old.examples(number)[0] for number, task in enumerate(old.tasks)}
    before, first = (
        {name: network.task(name)(own) for name, own in rows.items()},
        network.layers["layers.0"],
    )
    own = sum(value.numel() for value in network.own_values(1))
    for name in ("new", "newer"):
        new = made(**{name: 6})
        network.add_task(new)
        assert (
            sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
            == own
        )
        kept = [value.clone() for value in network.own_values(3)]
        fit(network, new, steps=3)
    assert all(torch.equal(network.task(name)(own), before[name]) for name, own in rows.items())
    assert all(
        torch.equal(value, other) for value, other in zip(network.own_values(3), kept, strict=True)
    )
    inputs = new.examples(0)[0]
    torch.testing.assert_close(network({"newer": inputs})["newer"], network.task("newer")(inputs))
    assert network.layers["layers.0"].task_vectors().shape == (5, first.task_vectors().shape[1])
    with pytest.raises(
        ValueError,
        match=r"layer 'layers\.0': the new task needs the shape \(5, 6\).* shapes \[\(4, 6\), "
        r"\(6, 6\)\] only",
    ):
        network.add_task(made(odd=5))


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_a_saved_network_is_built_and_loaded_in_the_same_order(sharing: Sharing) -> None:
    def built() -> MultiTaskNetwork:
        network = MultiTaskNetwork(
            partial(mlp, hidden=(6, 6)), made_tasks("a", "b"), sharing=sharing
        )
        network.add_task(made_tasks("new"))
        return network

    network, rows = built(), torch.randn(9, 8)
    fit(network, made_tasks("new"), steps=3)
    other = built()
    other.load_state_dict(network.state_dict())
    assert torch.equal(other.run(rows, one_input=True), network.run(rows, one_input=True))


def test_a_task_with_rows_of_its_own_learns_where_others_gradients_are_sparse() -> None:
    network = MultiTaskNetwork(
        mlp, made_tasks("a", "b"), sharing=LastAxisFlattening(rank=1), sparse_rows=True
    )
    network.add_task(made_tasks("new"))
    before = [value.clone() for value in network.own_values(2)]
    fit(network, made_tasks("new"), steps=3, optimizer=LazyAdam)
    assert not any(
        torch.equal(value, other)
        for value, other in zip(network.own_values(2), before, strict=True)
    )
