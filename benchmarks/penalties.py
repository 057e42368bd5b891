"""Trace norms against autograd through an SVD, and beside a training step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

import torch
from torch import Tensor

from benchmarks.case import Case
from benchmarks.measure import Step
from benchmarks.networks import NETWORKS
from softshare.sharing.algebra.decompositions import task_last
from softshare.sharing.algebra.trace_norms import Unfolding, matricise, trace_norm, unfoldings
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

LITERAL, TALL = (
    "autograd through an SVD of the unfolding",
    "autograd through an SVD of the unfolding laid tall",
)


def cases() -> list[Case]:
    """Every unfolding of every layer, and the whole penalty beside a step of Omniglot's network."""
    found = [case for name, shape in STACKS.items() for case in _unfoldings(name, shape)]
    omniglot = "Omniglot CNN, T = 50, B = 16"
    return [
        *found,
        Case(
            "trace norm",
            f"LAF penalty of all layers, {omniglot}",
            "the training step",
            partial(_laf_penalty, omniglot),
            1 / 0.15,
        ),
    ]


def _unfoldings(name: str, shape: tuple[int, ...]) -> list[Case]:
    """One layer's, each size once."""
    tensor, found, seen = task_last(torch.empty(shape, device="meta")), [], set()
    for rows in (*unfoldings("tucker", len(shape)), *unfoldings("tt", len(shape))):
        height, width = unfolded(tensor, rows).shape
        short, long = sorted((height, width))
        if short > 1 and (short, long) not in seen:
            seen.add((short, long))
            about = "trace norm", f"{name}: unfolding {short} × {long}"
            found.append(
                Case(*about, LITERAL, partial(_norm, shape, rows, False), _least(short, long))
            )
            if height < width:
                found.append(
                    Case(*about, TALL, partial(_norm, shape, rows, True), _least(short, long))
                )
    return found


def unfolded(tensor: Tensor, rows: Unfolding) -> Tensor:
    """An unfolding as the papers write it; that of all modes but the last is the last mode's,
    transposed.
    """
    others = tuple(mode for mode in range(tensor.ndim) if mode not in rows)
    rows, others = (others, rows) if len(others) == 1 else (rows, others)
    return tensor.permute(rows + others).reshape(prod(tensor.shape[mode] for mode in rows), -1)


def _least(short: int, long: int) -> float | None:
    if long < 5 * short:
        return None
    return 4.0 if short > 50 else 1.5


def _norm(
    shape: tuple[int, ...], rows: Unfolding, tall: bool, device: torch.device
) -> tuple[Step, Step]:
    stack = torch.randn(shape, device=device).requires_grad_()
    tensor = task_last(stack)

    def svd() -> Tensor:
        matrix = unfolded(tensor, rows)
        return torch.linalg.svdvals(matrix.T if tall else matrix).sum()

    return _gradient(lambda: trace_norm(matricise(tensor, rows)), stack), _gradient(svd, stack)


def _gradient(norm: Callable[[], Tensor], stack: Tensor) -> Step:
    return lambda: torch.autograd.grad(norm(), stack)


def _laf_penalty(name: str, device: torch.device) -> tuple[Step, Step]:
    setting = NETWORKS[name](device=device)
    network = setting.network(TraceNorm("laf"))
    examples = torch.full((len(network.tasks),), 100.0, device=device)

    def step() -> None:
        network.zero_grad()
        network.penalty(examples).backward()

    return step, setting.ours(Independent())
