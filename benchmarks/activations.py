"""Activations beside ReLU: whatever takes an element at a time runs as ReLU does, folded.

Each step is a whole training step of one tied network on rows that all tasks see, so an activation
that made a copy of these for every task would show as a ratio near one by the number of tasks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from benchmarks.case import Case
from benchmarks.steps import Setting, Training
from softshare.sharing.tied import Tied

NEAR_RELU = 0.5
"""The arithmetic of an exponential and its gradient included."""

ACTIVATIONS: tuple[type[nn.Module], ...] = (nn.Mish, nn.Hardswish, nn.CELU)


def cases() -> list[Case]:
    """All of them."""
    return [
        Case(
            "activations",
            f"MLP 64-128-128-128-8 with {kind.__name__}, T = 20, B = 64, one input for all, tied",
            "the same with ReLU",
            partial(_beside_relu, kind),
            NEAR_RELU,
        )
        for kind in ACTIVATIONS
    ]


def _beside_relu(kind: type[nn.Module], device: torch.device) -> tuple[Training, Training]:
    ours, other = (
        Setting(
            partial(_template, chosen),
            (64,),
            n_tasks=20,
            batch_size=64,
            n_outputs=8,
            one_input=True,
            device=device,
        ).ours(Tied())
        for chosen in (kind, nn.ReLU)
    )
    return ours, other


def _template(
    activation: type[nn.Module], input_shape: Sequence[int], n_outputs: int
) -> nn.Sequential:
    (n_in,) = input_shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number in range(3):
        layers[f"hidden{number}"] = nn.Linear(n_in, 128)
        layers[f"activation{number}"] = activation()
        n_in = 128
    layers["output"] = nn.Linear(n_in, n_outputs)
    return nn.Sequential(layers)
