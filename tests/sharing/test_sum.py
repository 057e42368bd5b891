"""Sharing as a sum: starts, zeros, shrinkage, new tasks, frozen templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

import softshare as ss
from softshare.methods.recipe import Recipe
from softshare.methods.settings import checked_settings
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.sum_weight import SumWeight

TASKS = "abcd"
LAYERS = {"fc": LayerShapes(((6, 5),), 0.2), "conv": LayerShapes(((3, 2, 4, 3),), 0.2)}
OWN = [ss.Independent(), ss.TensorTrain(0.5), ss.Tucker(0.5), ss.LastAxisFlattening(0.5)]


def drawn(sharing: Sharing) -> dict[str, SharedWeight]:
    return sharing.draw(LAYERS, RandomStreams(0, TASKS))


def tasks_of(n_tasks: int = 4, *, n_rows: int = 12, width: int = 6) -> ss.TaskSet:
    numbers = np.random.default_rng(0)
    data = {}
    for name in "abcdefgh"[:n_tasks]:
        data[name] = (numbers.normal(size=(n_rows, width)), numbers.normal(size=n_rows))
    return ss.TaskSet.from_arrays(data, kinds="regression")


def template() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))


def network_of(sharing: Sharing | Mapping[str, Sharing]) -> ss.MultiTaskNetwork:
    return ss.MultiTaskNetwork(template(), tasks_of(), sharing=sharing, initial="independent")


def own_weight(network: ss.MultiTaskNetwork, layer: str) -> SumWeight:
    weight = network.layers[layer]
    assert isinstance(weight, SumWeight)
    return weight


@pytest.mark.parametrize("own", OWN)
def test_every_task_starts_at_the_common_weight_to_the_bit(own: Sharing) -> None:
    tied = drawn(ss.Tied())
    for name, weight in drawn(ss.Tied() + own).items():
        assert torch.equal(weight.stacked(), tied[name].stacked())


@pytest.mark.parametrize("own", OWN)
def test_beside_a_common_weight_of_zero_it_is_the_own_sharing_to_the_bit(own: Sharing) -> None:
    sums = drawn(ss.Sum(ss.Tied(), own, 0.1))
    for name, alone in drawn(own).items():
        weight = sums[name]
        assert isinstance(weight, SumWeight)
        weight.own.load_state_dict(alone.state_dict())
        weight.common.requires_grad_(False)
        next(weight.common.parameters()).zero_()
        assert torch.equal(weight.stacked(), alone.stacked())


@pytest.mark.parametrize("own", OWN)
def test_a_zero_own_part_receives_gradients(own: Sharing) -> None:
    for weight in drawn(ss.Tied() + own).values():
        weight.stacked()[1].sum().backward()
        gradients = [weight.get_parameter(name).grad for name in weight.task_parameters()]
        assert any(gradient is not None and gradient[1].any() for gradient in gradients)


def test_trained_weights_have_their_mean_in_common_by_their_rows() -> None:
    stack = torch.randn(4, 6, 5, dtype=torch.float64)
    rows = [1.0, 2.0, 3.0, 10.0]
    streams = RandomStreams(0, TASKS)
    weight = (ss.Tied() + ss.Independent()).start({"fc": stack}, streams, examples=rows)["fc"]
    assert isinstance(weight, SumWeight)
    share = torch.tensor(rows, dtype=torch.float64) / sum(rows)
    assert_close(weight.common.of(0), (share[:, None, None] * stack).sum(0))
    assert_close(weight.stacked(), stack)


def test_deviations_of_low_rank_are_found_and_those_of_none_are_zero() -> None:
    centre = torch.randn(6, 5, dtype=torch.float64)
    direction = torch.randn(6, 5, dtype=torch.float64)
    amounts = torch.tensor([1.0, -2.0, 0.5, 0.5], dtype=torch.float64)
    stack = centre + amounts[:, None, None] * direction
    sharing = ss.Tied() + ss.LastAxisFlattening(1)
    assert_close(sharing.share({"fc": stack})["fc"].stacked(), stack)
    same = centre.expand(4, 6, 5)
    assert torch.equal(sharing.share({"fc": same})["fc"].stacked(), same)


def test_biases_are_random_intercepts() -> None:
    network = network_of(ss.Tied() + ss.TensorTrain(0.5))
    bias = network.shared_weights["0.bias"]
    assert isinstance(bias, SumWeight)
    assert bias.spread is not None
    assert bias.spread.is_learned
    assert bias.task_parameters() == ["own.factors.weight"]


def test_penalties_are_those_of_the_definition() -> None:
    examples = torch.tensor([3.0, 4.0, 5.0, 6.0])
    for own in OWN:
        for name, weight in drawn(ss.Sum(ss.Tied(), own, 0.7)).items():
            assert isinstance(weight, SumWeight), name
            weight.own.load_state_dict(drawn(own)[name].state_dict())
            assert_close(weight.penalty(examples), 0.7 * weight.own.stacked().square().sum())
    learned = drawn(ss.Tied() + ss.TensorTrain(0.5))["fc"]
    assert isinstance(learned, SumWeight)
    assert learned.spread is not None
    learned.own.load_state_dict(drawn(ss.TensorTrain(0.5))["fc"].state_dict())
    learned.spread.dispersion.copy_(torch.tensor([1.0, 2.0, 0.5, 1.0]))
    deviations = learned.stacked() - learned.common.stacked()
    squares = deviations.flatten(1).square().sum(1)
    strengths = learned.spread.dispersion / (2 * learned.spread.variance * examples)
    assert_close(learned.penalty(examples), (strengths * squares).sum())


def test_evgeniou_and_pontil_on_linear_templates() -> None:
    """Equation 1 of "Regularized multi-task learning" (2004), the common part free: the minimum of
    ``Σ_t mean (y − x (w_0 + v_t))² + λ Σ_t ‖v_t‖²`` by its normal equations.
    """
    strength, width = 0.3, 6
    tasks = tasks_of()
    network = ss.MultiTaskNetwork(
        nn.Linear(width, 1, bias=False),
        tasks,
        sharing={"weight": ss.Tied() + ss.Independent(shrink=strength)},
        initial="common",
    ).double()
    rows = [(x.double(), y.double()) for x, y in map(tasks.examples, range(len(tasks)))]

    def loss() -> Tensor:
        network.zero_grad()
        outputs = network.run(torch.stack([x for x, _ in rows]))[..., 0]
        errors = outputs - torch.stack([y for _, y in rows])
        total = errors.square().mean(1).sum() + network.penalty(torch.full((4,), 12.0))
        total.backward()
        return total

    options = {"max_iter": 500, "tolerance_grad": 1e-12, "tolerance_change": 1e-14}
    torch.optim.LBFGS(network.parameters(), line_search_fn="strong_wolfe", **options).step(loss)

    n_all = width * (1 + len(rows))
    normal = torch.zeros(n_all, n_all, dtype=torch.float64)
    right = torch.zeros(n_all, dtype=torch.float64)
    for number, (x, y) in enumerate(rows):
        own = slice(width * (1 + number), width * (2 + number))
        design = torch.zeros(len(x), n_all, dtype=torch.float64)
        design[:, :width] = design[:, own] = x
        normal += design.T @ design / len(x)
        right += design.T @ y / len(x)
        normal[own, own] += strength * torch.eye(width, dtype=torch.float64)
    solution = torch.linalg.solve(normal, right).reshape(1 + len(rows), width)
    weight = network.shared_weight("weight")
    assert_close(weight.stacked()[..., 0], solution[0] + solution[1:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "own",
    [ss.TensorTrain(0.5), ss.TensorNormal(warm_up=0, every=1)],
    ids=["train", "prior"],
)
def test_a_new_task_starts_at_the_common_weight_and_learns_its_own_row_alone(
    own: ss.Sharing,
) -> None:
    network = network_of({"*": ss.Tied() + own, "4": ss.Tied() + ss.Independent()})
    ss.fit(network, tasks_of(), steps=5)
    before = {name: network.task(name)(torch.ones(2, 6)) for name in TASKS}
    data = {"new": (np.ones((8, 6), dtype=np.float32), np.ones(8))}
    new = ss.TaskSet.from_arrays(data, kinds="regression")
    network.add_task(new)
    for layer in ("0", "2", "4"):
        weight = own_weight(network, layer)
        assert torch.equal(weight.of(4), weight.common.of(0))
    trained = [name for name, value in network.named_parameters() if value.requires_grad]
    assert trained
    assert all("own.added" in name for name in trained)
    ss.fit(network, new, steps=5)
    assert all(torch.equal(network.task(name)(torch.ones(2, 6)), before[name]) for name in TASKS)
    assert not torch.equal(own_weight(network, "4").of(4), own_weight(network, "4").common.of(0))


def test_a_new_task_is_drawn_to_the_common_weight_by_the_spread_of_a_prior() -> None:
    """``φ ‖U‖² / (2 scale² N)``, as for any own part; the others' do not move any more."""
    network = network_of({"*": ss.Tied() + ss.TensorNormal()})
    ss.fit(network, tasks_of(), steps=3)
    data = {"new": (np.ones((8, 6), dtype=np.float32), np.ones(8))}
    network.add_task(ss.TaskSet.from_arrays(data, kinds="regression"))
    weight = own_weight(network, "0")
    assert weight.spread is not None
    examples = torch.tensor([10.0, 10, 10, 10, 8])
    before = weight.penalty(examples)
    (row,) = weight.own.own_values(4)
    with torch.no_grad():
        row.fill_(0.5)
    strength = weight.spread.dispersion[4] / (2 * weight.spread.scale**2 * 8)
    assert_close(
        weight.penalty(examples) - before, strength * row.square().sum(), rtol=1e-4, atol=1e-4
    )


def test_after_a_start_apart_the_common_weight_is_the_mean_weighted_by_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = tasks_of()
    few = tasks.select(np.r_[0:2, tasks.offsets[1] : tasks.offsets[-1]])
    starts: list[tuple[Tensor, Tensor]] = []
    share_otherwise = ss.MultiTaskNetwork.with_sharing

    def watched(network: ss.MultiTaskNetwork, *args: Any, **settings: Any) -> ss.MultiTaskNetwork:
        stack = network.shared_weight("0.weight").stacked().detach().clone()
        moved = share_otherwise(network, *args, **settings)
        starts.append((stack, own_weight(moved, "0").common.of(0).detach().clone()))
        return moved

    monkeypatch.setattr(ss.MultiTaskNetwork, "with_sharing", watched)
    recipe = Recipe(
        "sum",
        lambda *_: template(),
        ss.Tied() + ss.Independent(),
        apart=0.5,
        initial="independent",
    )
    given = {"source": "made", "method": "sum", "fraction": 1.0, "seed": 0, "steps": 4}
    recipe.learn(few, few, checked_settings(given))
    ((stack, common),) = starts
    rows = torch.tensor([2.0, 12, 12, 12])
    assert_close(common, torch.einsum("t,t...->...", rows / rows.sum(), stack))


def test_gradients_of_rows_are_sparse_and_shrunk() -> None:
    sharing = ss.Tied() + ss.Independent()
    tasks = tasks_of(8)
    network = ss.MultiTaskNetwork(
        template(), tasks, sharing={"*": sharing, "4": sharing}, sparse_rows=True
    )
    absent = own_weight(network, "0").own.stacked()[5:].clone()
    ss.fit(network, tasks, steps=3, tasks_per_step=2, optimizer=ss.LazyAdam)
    own = own_weight(network, "0").own
    assert own.get_parameter("factors.weight").grad is not None
    assert own.get_parameter("factors.weight").grad.is_sparse
    assert own.stacked().any()
    assert len(absent)


def test_tasks_on_a_grid_have_factorised_own_parts() -> None:
    numbers = np.random.default_rng(0)
    data = {}
    for first in "ab":
        for second in "xyz":
            data[first, second] = (numbers.normal(size=(8, 6)), numbers.normal(size=8))
    tasks = ss.TaskSet.from_arrays(data, kinds="regression")
    network = ss.MultiTaskNetwork(template(), tasks, sharing=ss.Tied() + ss.Tucker(0.5))
    weight = own_weight(network, "0")
    assert torch.equal(weight.of(0), weight.of(5))
    ss.fit(network, tasks, steps=10)
    assert not torch.equal(weight.of(0), weight.of(5))


def test_frozen_layers_keep_their_values_and_adapters_learn_beside_them() -> None:
    module = template()
    module[0].requires_grad_(False)
    module[2].requires_grad_(False)
    sharing = {"0": ss.Pretrained() + ss.TensorTrain(0.5), "2": ss.Pretrained(), "*": ss.Tied()}
    network = ss.MultiTaskNetwork(module, tasks_of(), sharing=sharing)
    trained = {name for name, value in network.named_parameters() if value.requires_grad}
    assert {name.split("/")[0] for name in trained} == {"weights.0", "weights.4"}
    ss.fit(network, tasks_of(), steps=10)
    weight = own_weight(network, "0")
    assert torch.equal(weight.common.of(0), module[0].weight.T)
    assert weight.own.stacked().any()
    exported = network.task("a")
    assert type(exported[0]) is nn.Linear  # merged: a plain module of the template's layers
    assert_close(exported[0].weight.T, weight.of(0))


def test_pretrained_layers_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="pass a trained module"):
        network_of(ss.Pretrained() + ss.TensorTrain(0.5))


def test_moving_to_a_sum_keeps_what_networks_compute() -> None:
    network = network_of(ss.Independent())
    ss.fit(network, tasks_of(), steps=5)
    rows = torch.randn(4, 3, 6)
    moved = network.with_sharing(ss.Tied() + ss.Independent(), examples=[1, 2, 3, 4])
    assert_close(moved.run(rows), network.run(rows))


def test_the_common_mean_takes_up_what_own_parts_have_in_common() -> None:
    weight = drawn(ss.Tied() + ss.TensorTrain(0.5))["fc"]
    assert isinstance(weight, SumWeight)
    weight.own.load_state_dict(drawn(ss.TensorTrain(0.5))["fc"].state_dict())
    before = weight.stacked().clone()
    assert weight.recentre()
    assert_close(weight.stacked(), before)
    assert_close(weight.own.stacked().mean(0), torch.zeros(6, 5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ss.Sum(ss.Tied(), ss.Independent(), -1.0), "shrink must be 'learned' or"),
        (lambda: ss.Sum(ss.Tied(), ss.Independent(0.1), 0.2), "given twice"),
        (lambda: ss.Pretrained(bias="none"), "bias must be"),  # type: ignore[arg-type]
        (lambda: network_of(ss.Independent(shrink=0.1)), "for the own part of a sum"),
        (lambda: network_of(ss.Tied() + ss.Tied()), "nothing of their own"),
    ],
)
def test_what_cannot_be_is_told(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("own", [ss.TraceNorm(gamma=0.3), ss.TensorNormal(scale=0.3)], ids=repr)
def test_an_own_part_with_a_penalty_of_its_own_keeps_it(own: Sharing) -> None:
    examples = torch.tensor([3.0, 4.0, 5.0, 6.0])
    weight = drawn(ss.Sum(ss.Tied(), own, 0.7))["fc"]
    assert isinstance(weight, SumWeight)
    assert weight.spread is None
    weight.own.load_state_dict(drawn(own)["fc"].state_dict())
    assert_close(weight.penalty(examples), weight.own.penalty(examples))
    assert weight.penalty(examples) != 0


def test_a_common_part_with_a_penalty_adds_it() -> None:
    examples = torch.tensor([3.0, 4.0, 5.0, 6.0])
    common = ss.TraceNorm(gamma=0.3)
    weight = drawn(ss.Sum(common, ss.Independent(), 0.7))["fc"]
    assert isinstance(weight, SumWeight)
    weight.own.load_state_dict(drawn(ss.Independent())["fc"].state_dict())
    expected = drawn(common)["fc"].penalty(examples) + 0.7 * weight.own.stacked().square().sum()
    assert_close(weight.penalty(examples), expected)


@pytest.mark.parametrize("own", OWN, ids=repr)
def test_squares_of_some_tasks_are_theirs_in_the_order_asked(own: Sharing) -> None:
    weight = drawn(ss.Tied() + own)["fc"]
    assert isinstance(weight, SumWeight)
    weight.own.load_state_dict(drawn(own)["fc"].state_dict())
    squares = weight.own.stacked().flatten(1).square().sum(1)
    assert_close(weight.own_squares(torch.tensor([2, 0])), squares[[2, 0]])


def test_both_parts_know_the_grid_of_the_tasks() -> None:
    names = [(row, column) for row in "ab" for column in "xyz"]
    common, own = ss.TensorTrain(0.5), ss.Tucker(0.5)
    told = ss.Sum(common, own, 0.3).for_tasks(names)
    assert told == ss.Sum(common.for_tasks(names), own.for_tasks(names), 0.3)
    assert told != ss.Sum(common, own, 0.3)
