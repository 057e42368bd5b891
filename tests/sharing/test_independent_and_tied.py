"""The two ends of sharing: nothing and everything."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes, RandomStreams
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied

UNEQUAL = ((2, 3), (4, 3), (2, 3))


def unequal_weights() -> list[Tensor]:
    return [torch.randn(shape) for shape in UNEQUAL]


def test_independent_weights_are_those_given() -> None:
    stack = torch.randn(3, 4, 5)
    weight = Independent().share({"fc": stack})["fc"]
    assert torch.equal(weight.stacked(), stack)
    assert torch.equal(weight.task_vectors(), stack.flatten(1))


def test_independent_weights_have_the_standard_deviation() -> None:
    weight = Independent().draw({"fc": LayerShapes(((100, 50),), 0.2)}, RandomStreams(0, range(4)))[
        "fc"
    ]
    assert weight.stacked().std().item() == pytest.approx(0.2, rel=0.03)


def test_shapes_given_once_or_for_every_task_draw_the_same() -> None:
    streams = RandomStreams(3, ["a", "b"])
    once = Independent().draw({"fc": LayerShapes(((30, 20),), 0.2)}, streams)["fc"]
    each = Independent().draw({"fc": LayerShapes(((30, 20), (30, 20)), 0.2)}, streams)["fc"]
    assert torch.equal(once.stacked(), each.stacked())


def test_weights_of_different_shapes_keep_their_own() -> None:
    given = unequal_weights()
    weight = Independent().share({"fc": given})["fc"]
    assert all(torch.equal(weight.of(task), given[task]) for task in range(3))
    assert torch.equal(weight.stacked(torch.tensor([2, 0])), torch.stack([given[2], given[0]]))
    assert (
        sum(parameter.numel() for parameter in weight.parameters())
        == weight.independent_parameters()
        == 24
    )
    assert torch.equal(weight.task_vectors()[1], given[1].flatten())
    assert torch.equal(weight.task_vectors()[0], torch.cat([given[0].flatten(), torch.zeros(6)]))


def test_weights_of_different_shapes_are_padded_with_zeros() -> None:
    given = unequal_weights()
    padded = Independent().share({"fc": given})["fc"].padded()
    assert padded.shape == (3, 4, 3)
    assert torch.equal(padded[0, :2], given[0])
    assert not padded[0, 2:].any()
    assert torch.equal(padded[1], given[1])


def test_weights_of_different_shapes_have_no_stack() -> None:
    weight = Independent().draw({"fc": LayerShapes(UNEQUAL)}, RandomStreams(0, range(3)))["fc"]
    with pytest.raises(ValueError, match=r"different shapes: \[\(2, 3\), \(4, 3\)\]"):
        weight.stacked()


def test_a_tied_weight_is_the_mean_and_the_same_for_all() -> None:
    stack = torch.randn(3, 4, 5)
    weight = Tied().share({"fc": stack})["fc"]
    assert_close(weight.stacked(), stack.mean(0).expand(3, 4, 5))
    assert sum(parameter.numel() for parameter in weight.parameters()) == 20
    assert weight.task_vectors().shape == (3, 0)


def test_tied_weights_do_not_depend_on_the_tasks() -> None:
    layer = {"fc": LayerShapes(((4, 5),))}
    few, many = (Tied().draw(layer, RandomStreams(0, range(n)))["fc"] for n in (2, 7))
    assert torch.equal(few.of(0), many.of(6))


def test_tied_bias_setting() -> None:
    assert Tied().ties_bias
    assert not Tied(bias="own").ties_bias
    assert not Independent().ties_bias
    with pytest.raises(ValueError, match="Tied: bias must be 'tied' or 'own', got 'none'"):
        Tied(bias="none")  # type: ignore[arg-type]


def test_tied_tasks_need_one_shape() -> None:
    with pytest.raises(
        ValueError,
        match=r"layer 'fc': Tied needs one shape for all tasks.*leave this layer independent",
    ):
        Tied().share({"fc": unequal_weights()})
