"""Trained networks factorised anew at smaller ranks."""

from __future__ import annotations

import pytest
import torch

import softshare as ss
from softshare.sharing.base import Sharing

TASKS = [ss.Task(name, "regression") for name in "abcde"]


def network_of(sharing: Sharing) -> ss.MultiTaskNetwork:
    return ss.MultiTaskNetwork(ss.mlp((8,), 1, hidden=(12, 6)), TASKS, sharing=sharing)


@pytest.mark.parametrize(
    "sharing",
    [ss.TensorTrain((8, 5)), ss.Tucker(1.0), ss.LastAxisFlattening(5)],
    ids=lambda sharing: type(sharing).__name__,
)
def test_weights_of_low_rank_are_found_again_with_fewer_numbers(sharing: Sharing) -> None:
    network = network_of(sharing)
    low = network_of(ss.TensorTrain((2, 2)))
    wide = low.with_sharing(sharing)
    made = wide.compress(1e-3)
    assert [row.layer for row in made.layers] == ["layers.0", "layers.1"]
    for row, before in zip(made.layers, made.before, strict=True):
        assert row.parameters < before
        assert row.error is not None
        assert row.error < 1e-3
        assert row.ranks[-1] == 2
    inputs = torch.randn(4, 8)
    assert torch.allclose(made.network(inputs), wide(inputs), atol=2e-3)
    assert network.compress(1e-6).layers[0].error < 1e-5


def test_the_error_is_the_one_asked_for_at_most_and_told() -> None:
    network = network_of(ss.TensorTrain((8, 5)))
    made = network.compress(0.4)
    for row in made.layers:
        before = network.stacks()[f"{row.layer}.weight"]
        after = made.network.stacks()[f"{row.layer}.weight"]
        error = float(torch.linalg.norm(after - before) / torch.linalg.norm(before))
        assert error <= 0.4
        assert row.error == pytest.approx(error, rel=1e-4)
    assert "relative error" in str(made)


def test_the_own_part_of_a_sum_is_compressed_and_the_rest_stays() -> None:
    network = network_of(ss.Tied() + ss.TensorTrain((8, 5)))
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.1 * torch.randn_like(value))
    made = network.compress(0.5)
    assert made.layers[0].parameters < made.before[0]
    tied = network_of(ss.Tied())
    assert tied.compress(0.1).network is tied
    assert str(tied.compress(0.1)).startswith("nothing to compress")
