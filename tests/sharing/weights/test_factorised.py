"""A weight from an equation and factors, balanced and extended by a task."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tucker import Tucker
from softshare.sharing.weights.factorised import FactorisedWeight, SparseRows, balance, typical_row


def test_factors_keep_the_equations_order_whatever_their_names() -> None:
    left, right = torch.randn(3, 2), torch.randn(2, 4)
    weight = FactorisedWeight("tk,ka->ta", {"second": left, "first": right}, shape=(4,), n_tasks=3)
    assert_close(weight.stacked(), left @ right)
    assert weight.task_parameters() == ["factors.second"]


def test_modes_are_merged_into_the_weights_shape() -> None:
    factor, task = torch.randn(2, 3, 4), torch.randn(5, 4)
    weight = FactorisedWeight(
        "abk,tk->tab", {"factor": factor, "task": task}, shape=(6,), n_tasks=5
    )
    assert_close(weight.stacked(), torch.einsum("abk,tk->tab", factor, task).reshape(5, 6))


def test_balance_leaves_the_product_and_equalises_the_sizes() -> None:
    factors = {
        "left": 1e-30 * torch.randn(4, 3).double(),
        "right": 1e-30 * torch.randn(3, 5).double(),
    }
    factors["middle"] = 1e80 * torch.randn(3, 3).double()
    balanced = balance(factors)
    assert_close(
        balanced["left"] @ balanced["middle"] @ balanced["right"],
        factors["left"] @ factors["middle"] @ factors["right"],
    )
    sizes = [float(factor.square().mean().sqrt()) for factor in balanced.values()]
    assert sizes == pytest.approx([sizes[0]] * 3)


def test_balance_leaves_a_zero_product_alone() -> None:
    factors = {"left": torch.ones(2, 2), "right": torch.zeros(2, 2)}
    assert all(torch.equal(balance(factors)[name], factor) for name, factor in factors.items())


@pytest.mark.parametrize(
    "sharing",
    [
        LastAxisFlattening(10),
        Tucker(1.0, task_rank=0.3),
        TensorRing(4, shared=1),
        TensorRing(4, shared=0),
    ],
    ids=repr,
)
def test_a_new_task_starts_as_large_as_those_that_started_apart(sharing: Sharing) -> None:
    weight = sharing.draw({"layer": LayerShapes(((64, 64),), 0.1)}, RandomStreams(0, range(50)))[
        "layer"
    ]
    extended = weight.with_task(torch.zeros(64, 64))
    assert extended.of(50).std().item() == pytest.approx(0.1, rel=0.5)


def test_a_new_task_starts_at_what_the_others_have_in_common() -> None:
    rows = torch.tensor([[2.0, 1.0], [2.0, -1.0]])
    row = typical_row(rows)
    torch.testing.assert_close(row, torch.tensor([[5**0.5, 0.0]]))
    assert torch.equal(typical_row(torch.zeros(3, 2)), torch.zeros(1, 2))


def test_rows_of_a_task_that_came_later_are_named_after_the_others() -> None:
    weight = (
        LastAxisFlattening(2)
        .share({"layer": torch.randn(3, 5, 4)})["layer"]
        .with_task(torch.zeros(5, 4))
    )
    own = [weight.get_parameter(name) for name in weight.task_parameters()]
    assert torch.equal(torch.cat(own), weight.task_vectors())
    assert [len(rows) for rows in own] == [3, 1]
    assert all(torch.equal(weight.own_values(task)[0], torch.cat(own)[task]) for task in range(4))


# --- gradients of some rows --------------------------------------------------------------------


def gradients_of(weight: SharedWeight, tasks: Tensor, direction: Tensor) -> dict[str, Tensor]:
    """Gradients of ``⟨W of some tasks, direction⟩``, sparse ones filled up with zeros."""
    weight.zero_grad()
    (weight.stacked(tasks) * direction).sum().backward()
    return {
        name: values.grad.to_dense() if values.grad.is_sparse else values.grad.clone()
        for name, values in weight.named_parameters()
        if values.grad is not None
    }


@pytest.mark.parametrize(
    "sharing",
    [TensorRing(2), TensorRing(3, shared=0), Tucker(0.6), TensorTrain(0.6), LastAxisFlattening(2)],
    ids=repr,
)
@pytest.mark.parametrize("tasks", [[3], [0, 2], [0, 1, 2, 3, 4]])
def test_sparse_gradients_are_the_dense_ones(sharing: Sharing, tasks: list[int]) -> None:
    layers = {"layer": LayerShapes(((4, 6),))}
    weight = sharing.draw(layers, RandomStreams(0, range(5)))["layer"]
    direction = torch.randn(len(tasks), 4, 6)
    dense = gradients_of(weight, torch.tensor(tasks), direction)
    weight.sparse_rows = True
    sparse = gradients_of(weight, torch.tensor(tasks), direction)
    for name, gradient in dense.items():
        assert_close(sparse[name], gradient)
        assert weight.get_parameter(name).grad.is_sparse == (name in weight.sparse_parameters())


def test_the_gradient_of_one_row_is_right_whatever_the_stride_of_its_only_place() -> None:
    values = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    gradient = torch.arange(4.0, dtype=torch.float64).reshape(2, 1, 2).transpose(0, 1)
    SparseRows.apply(values, torch.tensor([1])).backward(gradient)
    expected = torch.zeros(3, 2, 2, dtype=torch.float64).index_copy(
        0, torch.tensor([1]), gradient.contiguous()
    )
    assert values.grad is not None
    assert torch.equal(values.grad.to_dense(), expected)


def test_rows_in_common_have_sparse_gradients_that_are_named() -> None:
    names = list(product("ab", "xyz"))
    layers = {"layer": LayerShapes(((4, 6),))}
    weight = Tucker(0.6).for_tasks(names).draw(layers, RandomStreams(0, names))["layer"]
    assert weight.sparse_parameters() == []
    weight.sparse_rows = True
    assert weight.sparse_parameters() == ["factors.task_1", "factors.task_2"]
    assert weight.task_parameters() == []
    weight.stacked(torch.tensor([0, 1])).sum().backward()
    sparse = [name for name, values in weight.named_parameters() if values.grad.is_sparse]
    assert sparse == weight.sparse_parameters()


@pytest.mark.parametrize("sharing", [TensorRing(4), Tucker(0.5), LastAxisFlattening(2)], ids=repr)
def test_a_new_task_leaves_the_ranks(sharing: Sharing) -> None:
    layers = {"layer": LayerShapes(((8, 6),), 0.1)}
    weight = sharing.draw(layers, RandomStreams(0, range(5)))["layer"]
    extended = weight.with_task(torch.zeros(8, 6))
    assert isinstance(weight, FactorisedWeight)
    assert isinstance(extended, FactorisedWeight)
    assert extended.ranks() == weight.ranks() != ()
