"""Layers' inputs in their weights' contraction: rings taken core by core against the composed
weight, in double precision.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from softshare.network.execution.joining import joined, joint_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.algebra.contraction import shapes_of
from softshare.sharing.tensor_ring import TensorRing
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

N_IN, N_OUT = 36, 24
TASKS = [Task(name, "multiclass", N_OUT) for name in "abc"]
JOINS = "the input joins"
COMPOSES = "composed"


def one_layer(shared: int | tuple[int, ...], rank: int = 2, *, bias: str = "own") -> nn.Module:
    """A network that is one ring."""
    template = nn.Sequential(nn.Linear(N_IN, N_OUT, bias=bias != "none"))
    ring = TensorRing(rank, shared=shared, cores=3)
    network = MultiTaskNetwork(template, TASKS, sharing={"0": ring}, initial="independent")
    return network.double()


def by_definition(network: MultiTaskNetwork, rows: Tensor) -> Tensor:
    """Every task's rows by its composed weight."""
    outputs = []
    for number in range(len(network.tasks)):
        y = rows[number] @ network.layers["0"].of(number)
        if "0.bias" in network.shared_weights:
            y = y + network.shared_weight("0.bias").of(number)
        outputs.append(y)
    return torch.stack(outputs)


@pytest.mark.parametrize("bias", ["own", "none"])
@pytest.mark.parametrize("shared", [0, 2, (1,), 3], ids=str)
@pytest.mark.parametrize(("n_rows", "way"), [(1, JOINS), (200, COMPOSES)])
def test_outputs_and_gradients_are_those_of_the_composed_weight(
    n_rows: int, way: str, shared: int | tuple[int, ...], bias: str
) -> None:
    network = one_layer(shared, bias=bias)
    assert isinstance(network, MultiTaskNetwork)
    rows = torch.randn(3, n_rows, N_IN, dtype=torch.float64, requires_grad=True)
    if shared != 3:  # one weight for all tasks joins whenever fewer rows than two
        assert way in network.plan(rows)[0].way
    parameters = [*network.parameters(), rows]
    results = []
    for outputs in (network.run(rows), by_definition(network, rows)):
        gradients = torch.autograd.grad(outputs.square().sum(), parameters)
        results.append((outputs, *gradients))
    for fast, naive in zip(*results, strict=True):
        assert_close(fast, naive, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shared", [2, 3])
def test_rows_that_all_tasks_see_and_rows_of_some(shared: int) -> None:
    network = one_layer(shared)
    assert isinstance(network, MultiTaskNetwork)
    rows = torch.randn(3, 2, N_IN, dtype=torch.float64)
    expected = by_definition(network, rows)
    chosen = torch.tensor([2, 0])
    assert_close(network.run(rows[chosen], tasks=chosen), expected[chosen])
    same = rows[:1].expand_as(rows)
    assert_close(network.run(rows[0], one_input=True), by_definition(network, same))
    images = rows.reshape(3, 2, 1, 1, N_IN)
    assert_close(network.run(images).flatten(1, -2), expected)


def unequal() -> tuple[MultiTaskNetwork, dict[str, Tensor]]:
    """Two tasks of one size and one of another, with cores in common."""
    numbers = np.random.default_rng(0)
    sizes = {"large": 48, "small": 16, "large too": 48}
    arrays = {
        name: (numbers.normal(size=(4, size)), np.arange(4) % 2) for name, size in sizes.items()
    }
    tasks = TaskSet.from_arrays(arrays, kinds="binary")
    modes = {"layers.0": [((4, 4, 3), (4, 4, 4)), ((4, 4, 1), (4, 4, 4))]}
    ring = TensorRing(2, shared="22", modes=modes, cores=3)
    network = MultiTaskNetwork(mlp, tasks, sharing={"layers.*": ring}).double()
    rows = {name: torch.randn(3, size, dtype=torch.float64) for name, size in sizes.items()}
    return network, rows


def test_rings_of_different_shapes_take_their_inputs_core_by_core() -> None:
    network, rows = unequal()
    plan = network.plan(rows)
    assert [d.way for d in plan if d.layer == "layers.0"] == [
        "the input joins the factors (2 times)"
    ]
    outputs: Mapping[str, Tensor] = network(rows)  # type: ignore[assignment]
    parameters = [value for value in network.parameters() if value.requires_grad]
    fast = torch.autograd.grad(sum(y.square().sum() for y in outputs.values()), parameters)
    total = torch.zeros((), dtype=torch.float64)
    for number, (name, x) in enumerate(rows.items()):
        for layer in ("layers.0", "layers.1"):
            bias = network.shared_weight(f"{layer}.bias").of(number)
            x = torch.relu(x @ network.layers[layer].of(number) + bias)
        x = x @ network.layers["output"].of(number)
        x = x + network.shared_weight("output.bias").of(number)
        assert_close(outputs[name], x, rtol=1e-10, atol=1e-10)
        total = total + x.square().sum()
    naive = torch.autograd.grad(total, parameters)
    for one, other in zip(fast, naive, strict=True):
        assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_a_large_ring_never_has_its_weight_in_memory() -> None:
    """1225 × 1225 weights of two tasks would be three million numbers."""
    modes = {"0": ((7, 7, 5, 5), (7, 7, 5, 5))}
    tasks = [Task(name, "multiclass", 1225) for name in "ab"]
    network = MultiTaskNetwork(
        nn.Sequential(nn.Linear(1225, 1225)),
        tasks,
        sharing={"0": TensorRing(2, shared=2, modes=modes)},
        initial="independent",
    )
    kept = []

    def keep(value: Tensor) -> Tensor:
        kept.append(value.numel())
        return value

    rows = torch.randn(2, 4, 1225)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        network.run(rows).sum().backward()
    assert sum(kept) < 1225 * 1225 / 4


def test_modes_of_one_may_be_the_inputs_or_the_outputs() -> None:
    factors = [torch.randn(2, 3, 1, 2), torch.randn(2, 1, 4, 2)]
    equation = "AabB,BcdA->acbd"  # inputs 3 and 1, outputs 1 and 4
    x = torch.randn(5, 3)
    weight = torch.einsum(equation, factors[0], factors[1]).reshape(3, 4)
    joint = joint_of(equation, shapes_of(factors), x.shape)
    assert_close(joined(joint, factors, x), x @ weight)
    with pytest.raises(ValueError, match=r"modes \[3, 1, 1, 4\] does not take 5 inputs"):
        joint_of(equation, shapes_of(factors), (2, 5))
