"""Weights that start otherwise than PyTorch draws them."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.testing import assert_close

from softshare.network.templates.initialised import he_initialised
from softshare.network.templates.standard import mlp
from softshare.tasks.random_keys import torch_seeded


def made(n_inputs: int, seed: int, *, alike: bool) -> nn.Module:
    with torch_seeded(seed):
        template = partial(mlp, hidden=(200, 100))
        return he_initialised((n_inputs,), 2, template=template, alike=alike)


def upper(network: nn.Module) -> torch.Tensor:
    return dict(network.named_parameters())["layers.1.weight"]


def test_upper_layers_start_alike_whatever_the_inputs_are() -> None:
    assert_close(upper(made(7, 3, alike=True)), upper(made(30, 3, alike=True)))
    assert not torch.equal(upper(made(7, 3, alike=True)), upper(made(7, 4, alike=True)))
    assert not torch.equal(upper(made(7, 3, alike=False)), upper(made(30, 3, alike=False)))
    network = made(200, 3, alike=True)
    lower = dict(network.named_parameters())["layers.0.weight"].detach()
    assert not torch.equal(lower[:100], upper(network))
    assert abs(float(lower.square().mean()) * 200 / 2 - 1) < 0.03
