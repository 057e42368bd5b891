"""Weights whose shapes differ between tasks."""

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
