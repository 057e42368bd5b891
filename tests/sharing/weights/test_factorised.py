"""A weight from an equation and factors, balanced and drawn."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes, RandomStreams, Sharing
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tucker import Tucker
from softshare.sharing.weights.factorised import (
    FactorisedWeight,
    balance,
    draw_factors,
    typical_row,
)


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
    ("equation", "sizes"),
    [
        ("aA,AbB,tB->tab", {"a": 6, "b": 5, "A": 3, "B": 2}),
        ("ABC,aA,bB,tC->tab", {"a": 6, "b": 5, "A": 3, "B": 4, "C": 2}),
        ("rap,tpbr->tab", {"a": 6, "b": 5, "r": 3, "p": 2}),
    ],
)
def test_drawn_factors_have_one_size_and_the_composed_variance(
    equation: str, sizes: dict[str, int]
) -> None:
    composed, names = [], ["w", "x", "y", "z"][: equation.count(",") + 1]
    for seed in range(400):
        factors = draw_factors(
            equation, sizes, names, std=0.3, streams=RandomStreams(seed, range(4)), layer="layer"
        )
        composed.append(torch.einsum(equation, *factors.values()).square().mean())
    variance, error = (
        torch.stack(composed).mean(),
        torch.stack(composed).std() / len(composed) ** 0.5,
    )
    assert abs(float(variance) - 0.09) < 4 * float(error)
    assert float(error) < 0.01, "the test could not see a tenth of the variance"


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
