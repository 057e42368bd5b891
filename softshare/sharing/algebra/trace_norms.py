"""Trace norms of a tensor's unfoldings, with subgradients that stay finite and least in norm
whatever the rank.

Modes stand in the papers' order here, as in ``_tensor_algebra``: the task last.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite, prod, sqrt
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Norm = Literal["laf", "tucker", "tt"]
"""Which unfoldings a tensor trace norm adds up; see :func:`unfoldings`."""

NORMS: tuple[Norm, ...] = get_args(Norm)

ZERO = 1e-6
"""Singular values of at most this fraction of the largest count as zero: what float32 weights
cannot hold, and above what a float64 Gram matrix blurs (1e-8)."""

CHUNK = 1 << 16
"""Elements that are widened to float64 at a time: a processor's cache holds as many."""

WELL_CONDITIONED = 100.0
"""Largest by smallest singular value up to which the weights' own precision is enough for the
subgradient.
"""

Unfolding = tuple[int, ...]
"""The modes that are the rows of an unfolding; all others are its columns."""


def unfoldings(norm: Norm, n_modes: int) -> tuple[Unfolding, ...]:
    """The unfoldings of a tensor trace norm (Yang and Hospedales 2017, equations 1 to 3).

    * ``laf``: ``W_(N)``;
    * ``tucker``: ``W_(1)``, …, ``W_(N)``;
    * ``tt``: ``W_[1]``, …, ``W_[N−1]``.

    A matrix and its transpose have one trace norm, so ``W_(N)`` stands here as ``W_[N−1]``: what
    two norms share has one name.
    """
    last = tuple(range(n_modes - 1))
    if norm == "laf":
        return (last,)
    if norm == "tucker":
        return (*((mode,) for mode in last), last)
    return tuple(last[: k + 1] for k in last)


def matricise(tensor: Tensor, rows: Unfolding) -> Tensor:
    """An unfolding as a matrix ``(product of the rows' sizes, product of the others')``, its rows
    and its columns in any order.

    To a norm their order does not matter. It is that of memory, which makes a view possible or a
    copy quick.
    """
    height = prod(tensor.shape[mode] for mode in rows)
    in_memory = sorted(range(tensor.ndim), key=tensor.stride, reverse=True)
    if in_memory[-1] in rows:
        return (
            tensor.permute(sorted(in_memory, key=lambda mode: mode in rows)).reshape(-1, height).T
        )
    return tensor.permute(sorted(in_memory, key=lambda mode: mode not in rows)).reshape(height, -1)


def trace_norm(matrix: Tensor) -> Tensor:
    """The sum of the singular values ``‖X‖_*``, shape ``()``.

    Its gradient is the subgradient of least norm, ``U_r V_rᵀ`` over the singular values that are
    not zero; it is 0 at the zero matrix. From the eigenvalues of the smaller side's Gram matrix, in
    float64: singular values of a float64 matrix are exact to 1e-8 of the largest.

    Args:
        matrix: ``X (m, n)``. One that is not finite has the norm nan, and so has one whose squares
            are not (above 1e150).
    """
    norm: Tensor = _TraceNorm.apply(matrix)
    return norm


def tensor_trace_norms(tensor: Tensor, norms: tuple[Norm, ...] = NORMS) -> dict[Norm, Tensor]:
    """Several tensor trace norms of one tensor, every γ 1, each ``()``; an unfolding that several
    need is computed once.
    """
    needed = {norm: unfoldings(norm, tensor.ndim) for norm in norms}
    values = {
        rows: trace_norm(matricise(tensor, rows))
        for rows in dict.fromkeys(sum(needed.values(), ()))
    }
    return {norm: torch.stack([values[rows] for rows in own]).sum() for norm, own in needed.items()}


class _TraceNorm(torch.autograd.Function):
    """``‖X‖_*`` and ``U_r V_rᵀ = (XXᵀ)^(−1/2) X``; never through the derivative of singular
    vectors.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        gram = _gram(short)
        if not len(gram):
            ctx.save_for_backward(matrix, gram)
            return matrix.new_zeros(())
        if not isfinite(float(gram.trace())):
            ctx.save_for_backward(matrix, torch.full_like(gram, torch.nan))
            return matrix.new_tensor(torch.nan)
        squares, vectors = torch.linalg.eigh(
            gram, UPLO="U"
        )  # the triangle that LAPACK reads faster in this layout of memory
        spectrum = (
            squares.tolist()
        )  # ascending; few numbers, and a kernel's launch would cost more than all of them here
        n_zeros = bisect_right(spectrum, ZERO**2 * spectrum[-1])
        kept = vectors[:, n_zeros:]
        root = (kept * squares[n_zeros:].rsqrt()) @ kept.T
        representable = (
            spectrum[0] > torch.finfo(matrix.dtype).max ** -2
        )  # the root's largest element is the inverse of its root
        well_conditioned = representable and spectrum[-1] < WELL_CONDITIONED**2 * spectrum[0]
        ctx.save_for_backward(matrix, root.to(matrix.dtype) if well_conditioned else root)
        return matrix.new_tensor(sum(map(sqrt, spectrum[n_zeros:])))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        matrix, root = ctx.saved_tensors
        wide = matrix.shape[0] <= matrix.shape[1]
        short = matrix if wide else matrix.T
        if root.dtype == matrix.dtype:
            with torch.autocast(matrix.device.type, enabled=False):
                subgradient = (gradient * root) @ short
        else:
            subgradient = torch.empty_like(short)
            for chunk, part in zip(_chunks(short), _chunks(subgradient), strict=True):
                part.copy_(gradient * (root @ chunk.to(root.dtype)))
        return subgradient if wide else subgradient.T


def _gram(short: Tensor) -> Tensor:
    """``XXᵀ`` in float64, chunk by chunk of a long side; a float32 Gram matrix would lose small
    singular values.
    """
    first, *others = _chunks(short)
    wide = first.double()
    gram = wide @ wide.T
    for chunk in others:
        wide = chunk.double()
        gram.addmm_(wide, wide.T)
    return gram


def _chunks(short: Tensor) -> Sequence[Tensor]:
    """Columns of a matrix, some at a time, but not fewer than it has rows: a product of few columns
    waits for its result's memory.
    """
    if short.numel() <= CHUNK:
        return (short,)
    return short.split(max(len(short), CHUNK // len(short)), dim=1)
