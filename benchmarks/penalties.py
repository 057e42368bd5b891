"""Trace norms against autograd through an SVD, and beside a training step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.case import Case
from benchmarks.measure import Step
from benchmarks.networks import NETWORKS
from softshare.sharing._tensor_algebra import task_last
from softshare.sharing._trace_norms import Unfolding, matricise, trace_norm, unfoldings
from softshare.sharing.independent import Independent
from softshare.sharing.trace_norm import TraceNorm

STACKS = {
    "784 × 512, T = 10": (10, 784, 512),
    "512 × 512, T = 10": (10, 512, 512),
    "512 × 10, T = 10": (10, 512, 10),
    "LeNet 5 × 5 × 1 × 32, T = 10": (10, 5, 5, 1, 32),
    "LeNet 3 × 3 × 32 × 64, T = 10": (10, 3, 3, 32, 64),
    "Omniglot 3 × 3 × 8 × 12, T = 50": (50, 3, 3, 8, 12),
    "Omniglot 3 × 3 × 12 × 16, T = 50": (50, 3, 3, 12, 16),
    "Omniglot 1600 × 64, T = 50": (50, 1600, 64),
}
"""The layers of the networks measured here: tasks first, then the papers' modes."""

WIDEST_SVD = 1000
"""Matrices whose short side is longer are left out: one SVD with its derivative takes minutes."""


def cases() -> list[Case]:
    """Every unfolding of every layer, and the whole penalty beside a step of the Omniglot network."""
    found = []
    for name, shape in STACKS.items():
        for rows in dict.fromkeys((*unfoldings("tucker", len(shape)), *unfoldings("tt", len(shape)))):
            sides = sorted(matricise(task_last(torch.empty(shape, device="meta")), rows).shape)
            if 1 < sides[0] <= WIDEST_SVD:
                sizes = f"{sides[0]} × {sides[1]}"
                found.append(
                    Case("trace norm", f"{name}: unfolding {sizes}", "autograd through an SVD", partial(_norm, shape, rows), _least(*sides))
                )
    omniglot = "Omniglot CNN, T = 50, B = 16"
    return [
        *found,
        Case("trace norm", f"LAF penalty of all layers, {omniglot}", "the training step", partial(_laf_penalty, omniglot), 1 / 0.15),
    ]


def _least(short: int, long: int) -> float | None:
    if long < 5 * short:
        return None
    return 4.0 if short > 50 else 1.5


def _norm(shape: tuple[int, ...], rows: Unfolding, device: torch.device) -> tuple[Step, Step]:
    stack = torch.randn(shape, device=device).requires_grad_()
    return _gradient(stack, rows, trace_norm), _gradient(stack, rows, lambda matrix: torch.linalg.svdvals(matrix).sum())


def _gradient(stack: Tensor, rows: Unfolding, norm: Callable[[Tensor], Tensor]) -> Step:
    return lambda: torch.autograd.grad(norm(matricise(task_last(stack), rows)), stack)


def _laf_penalty(name: str, device: torch.device) -> tuple[Step, Step]:
    setting = NETWORKS[name](device=device)
    network = setting.network(TraceNorm("laf"))
    examples = torch.full((len(network.tasks),), 100.0, device=device)

    def step() -> None:
        network.zero_grad()
        network.penalty(examples).backward()

    return step, setting.ours(Independent())
