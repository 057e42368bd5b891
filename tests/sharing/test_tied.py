"""Hard parameter sharing: one weight for all tasks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes
from softshare.sharing.independent import Independent
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tied import Tied

UNEQUAL = ((2, 3), (4, 3), (2, 3))


def unequal_weights() -> list[Tensor]:
    return [torch.randn(shape) for shape in UNEQUAL]


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
