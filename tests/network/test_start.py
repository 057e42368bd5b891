"""Where weights start: given values are kept, others drawn, and frozen ones never change."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.pretrained import with_encoder
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.fixed_order import FixedOrder
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
from softshare.training.sharded import ShardedNetwork

TASKS = [Task(name, "binary") for name in "abc"]
EXACT = (Independent(), Tied(), Tied(bias="own"), TraceNorm())
FACTORISED = (
    LastAxisFlattening(rank=1),
    LastAxisFlattening(rank=3),
    Tucker(1.0),
    TensorTrain(1.0),
    Tucker(epsilon=1e-3),
)


def made_tasks(shape: tuple[int, ...] = (4,)) -> TaskSet:
    random = np.random.default_rng(0)
    return TaskSet.from_arrays(
        {
            name: (random.normal(size=(20, *shape)).astype(np.float32), np.arange(20) % 2)
            for name in "abc"
        }
    )


def body() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1))


def values_of(network: MultiTaskNetwork) -> dict[str, Tensor]:
    return {path: value.clone() for path, value in network.task("b").state_dict().items()}


@pytest.mark.parametrize("sharing", EXACT, ids=repr)
def test_a_modules_values_are_every_tasks_start_bit_for_bit(sharing: Sharing) -> None:
    template = body()
    for task in "abc":
        module = MultiTaskNetwork(template, TASKS, sharing=sharing).task(task)
        for path, value in template.state_dict().items():
            assert torch.equal(module.state_dict()[path], value)


@pytest.mark.parametrize("sharing", FACTORISED, ids=repr)
def test_a_factorisation_starts_as_near_the_modules_values_as_its_ranks_allow(
    sharing: Sharing,
) -> None:
    template = body()
    kept = values_of(MultiTaskNetwork(template, TASKS, sharing=sharing))
    for path, value in template.state_dict().items():
        torch.testing.assert_close(kept[path], value, rtol=1e-3, atol=2e-4)


def test_another_start_is_taken_where_it_is_asked_for() -> None:
    template = body()
    network = MultiTaskNetwork(template, TASKS, sharing=Tied(), initial="independent")
    assert not torch.allclose(values_of(network)["0.weight"], template[0].weight)


def test_what_a_template_function_draws_is_drawn_anew_and_what_it_is_given_kept() -> None:
    trained = nn.Linear(4, 6)

    def template(shape: tuple[int, ...], n_outputs: int) -> nn.Module:
        return nn.Sequential(OrderedDict(trained=trained, head=nn.Linear(6, n_outputs)))

    network = MultiTaskNetwork(template, made_tasks(), sharing=Independent())
    assert all(
        torch.equal(network.task(task)[0].weight, trained.weight)
        and torch.equal(network.task(task)[0].bias, trained.bias)
        for task in "abc"
    )
    heads = [network.task(task)[1].weight for task in "abc"]
    assert not torch.equal(heads[0], heads[1])


@pytest.mark.parametrize("sharing", [Tied(bias="tied"), Independent()], ids=repr)
def test_an_encoders_values_are_kept(sharing: Sharing) -> None:
    encoder = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
    network = MultiTaskNetwork(
        with_encoder(encoder), made_tasks(), sharing={"encoder.*": sharing, "*": Independent()}
    )
    state = values_of(network)
    assert torch.equal(state["encoder.module.0.weight"], encoder[0].weight)
    assert torch.equal(state["encoder.module.0.bias"], encoder[0].bias)


@pytest.mark.parametrize("initial", [None, "common", "independent"])
@pytest.mark.parametrize(
    "sharing", [Independent(), Tied(), LastAxisFlattening(rank=1), Tucker(0.5)], ids=repr
)
def test_frozen_parameters_keep_their_values_whatever_shares_them(
    sharing: Sharing, initial: str | None
) -> None:
    template = body()
    template[0].requires_grad_(False)
    template[2].bias.requires_grad_(False)
    tasks = made_tasks()
    network = MultiTaskNetwork(template, tasks, sharing=sharing, initial=initial)
    fit(network, tasks, steps=3, learning_rate=0.1)
    moved = {
        path
        for path, value in values_of(network).items()
        if not torch.equal(value, template.state_dict()[path])
    }
    assert moved == {"2.weight", "4.weight", "4.bias"}
    again = network.with_sharing(Independent())
    fit(again, tasks, steps=1, learning_rate=0.1)
    assert torch.equal(values_of(again)["0.weight"], template[0].weight)
    assert not network.task("a")[0].weight.requires_grad


def test_frozen_layers_share_nothing_that_is_learned() -> None:
    template = body()
    template[0].requires_grad_(False)
    assert MultiTaskNetwork(template, TASKS, sharing=Independent()).shares_nothing
    assert not MultiTaskNetwork(template, TASKS, sharing=Tied()).shares_nothing


def test_a_frozen_norm_keeps_its_statistics() -> None:
    template = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1))
    template[0].requires_grad_(False)
    tasks = made_tasks()
    network = MultiTaskNetwork(template, tasks)
    fit(network, tasks, steps=2)
    assert torch.equal(network.task("a")[0].running_mean, torch.zeros(4))


def test_a_task_that_comes_later_has_the_frozen_layers_as_they_are() -> None:
    template = body()
    template[0].requires_grad_(False)
    network = MultiTaskNetwork(template, TASKS, sharing={"*": Tied(bias="own")})
    network.add_task(Task("d", "binary"))
    assert torch.equal(network.task("d")[0].weight, template[0].weight)
    assert torch.equal(network.task("d")[0].bias, template[0].bias)
    trained = {name for name, value in network.named_parameters() if value.requires_grad}
    assert not any("0/" in name for name in trained)


def embedding(shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(7, 3, padding_idx=2)
            self.output = nn.Linear(3, n_outputs)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.output(self.table(tokens.long()).mean(1))

    return Mean()


@pytest.mark.parametrize(
    "sharing",
    [Independent(), Tied(), LastAxisFlattening(rank=2), Tucker(0.7), TensorRing(3), TraceNorm()],
    ids=repr,
)
def test_a_padding_row_stays_zero_whatever_shares_the_table(sharing: Sharing) -> None:
    random = np.random.default_rng(0)
    tasks = TaskSet.from_arrays(
        {name: (random.integers(0, 7, (20, 5)), np.arange(20) % 2) for name in "abc"}
    )
    network = MultiTaskNetwork(embedding, tasks, sharing={"table": sharing})
    for steps in (1, 3):
        tables = [network.task(task).table.weight for task in "abc"]
        assert not any(table[2].any() for table in tables)
        assert all(table[[0, 1, 3, 4, 5, 6]].all() for table in tables)
        assert not network.stacks()["table.weight"][:, 2].any()
        only_padding = torch.full((1, 4), 2)
        bias = network.task("a").output.bias
        torch.testing.assert_close(network({"a": only_padding})["a"][0], bias)
        fit(network, tasks, steps=steps, learning_rate=0.1)


def test_a_ring_says_that_it_cannot_keep_values() -> None:
    with pytest.raises(ValueError, match=r"initial='independent'"):
        MultiTaskNetwork(mlp((4,), 1), TASKS, sharing=TensorRing(3))
    MultiTaskNetwork(mlp((4,), 1), TASKS, sharing=TensorRing(3), initial="independent")


def test_fixed_orders_are_drawn_though_a_modules_values_are_kept() -> None:
    torch.manual_seed(3)
    template = ordering_mlp((4,), 1, width=8, depth=4)
    sharing = {"core.scales": FixedOrder("permuted"), "*": Tied()}
    network = MultiTaskNetwork(template, TASKS, sharing=sharing)
    orders = network.stacks()["core.scales.weight"]
    assert (orders != orders[:1]).any()
    assert torch.equal(values_of(network)["encoder.weight"], template.encoder.weight)


def test_a_start_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"initial must be 'independent', 'common'.*'random'"):
        MultiTaskNetwork(mlp((4,), 1), TASKS, initial="random")


def test_a_part_of_a_network_refuses_to_factorise_values_of_some_of_the_tasks() -> None:
    with pytest.raises(ValueError, match=r"layer '0'.*load_whole_state"):
        ShardedNetwork(body(), TASKS, sharing=LastAxisFlattening(rank=1))
    shard = ShardedNetwork(body(), TASKS, sharing=Tied(bias="own"))
    assert all(shard.layers[layer].of(0).numel() for layer in shard.layers)
