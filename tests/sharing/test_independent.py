"""Independent learning: nothing is shared."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from softshare.sharing.base import LayerShapes
from softshare.sharing.independent import Independent
from softshare.sharing.random_streams import RandomStreams

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
