"""Trace norms of a tensor's unfoldings, with subgradients that stay finite and least in norm
whatever the rank.

Modes stand in the papers' order here, as in :mod:`softshare.sharing.algebra.decompositions`: the
task last.
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
    modes = tuple(range(n_modes - 1))  # the rows of W_[N−1]: all but the task
    if norm == "laf":
        return (modes,)
    rows: list[Unfolding] = []
    for mode in modes:
        if norm == "tucker":
            rows.append((mode,))
        else:
            rows.append(modes[: mode + 1])
    if norm == "tucker":
        rows.append(modes)
    return tuple(rows)


def matricise(tensor: Tensor, rows: Unfolding) -> Tensor:
    """An unfolding as a matrix ``(product of the rows' sizes, product of the others')``, its rows
    and its columns in any order.

    To a norm their order does not matter. It is that of memory, which makes a view possible or a
    copy quick.
    """
    # (2, 3, 5) in row-major order, rows (1, 2): modes 1 and 2 lie together at the end of memory,
    # so the view is (2, 15), transposed.
    in_memory = sorted(range(tensor.ndim), key=tensor.stride, reverse=True)
    inner = [mode for mode in in_memory if mode in rows]
    outer = [mode for mode in in_memory if mode not in rows]
    height = prod(tensor.shape[mode] for mode in rows)
    if in_memory[-1] in rows:
        last_fastest = tensor.permute(outer + inner)
        return last_fastest.reshape(-1, height).T
    return tensor.permute(inner + outer).reshape(height, -1)


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


def tensor_trace_norms(
    tensor: Tensor,
    norms: tuple[Norm, ...] = NORMS,
) -> dict[Norm, Tensor]:
    """Several tensor trace norms of one tensor, every γ 1, each ``()``; an unfolding that several
    need is computed once.
    """
    known: dict[Unfolding, Tensor] = {}
    totals = {}
    for norm in norms:
        values = []
        for rows in unfoldings(norm, tensor.ndim):
            if rows not in known:
                known[rows] = trace_norm(matricise(tensor, rows))
            values.append(known[rows])
        totals[norm] = torch.stack(values).sum()
    return totals


class _TraceNorm(torch.autograd.Function):
    """``‖X‖_*`` and ``U_r V_rᵀ = (XXᵀ)^(−1/2) X``; never through the derivative of singular
    vectors.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        short = _short_side_first(matrix)
        gram = _gram(short)
        if not len(gram):
            ctx.save_for_backward(matrix, gram)
            return matrix.new_zeros(())
        if not isfinite(float(gram.trace())):
            unknown = torch.full_like(gram, torch.nan)
            ctx.save_for_backward(matrix, unknown)
            return matrix.new_tensor(torch.nan)
        # The upper triangle is the one that LAPACK reads faster in this layout of memory.
        squares, vectors = torch.linalg.eigh(gram, UPLO="U")
        # Ascending. They are few, and launching a kernel would cost more than all of them here.
        spectrum = squares.tolist()
        n_zeros = bisect_right(spectrum, ZERO**2 * spectrum[-1])
        kept = vectors[:, n_zeros:]
        root = (kept * squares[n_zeros:].rsqrt()) @ kept.T  # (XXᵀ)^(−1/2), (m, m)
        if _is_well_conditioned(spectrum, matrix.dtype):
            root = root.to(matrix.dtype)
        ctx.save_for_backward(matrix, root)
        norm = sum(map(sqrt, spectrum[n_zeros:]))
        return matrix.new_tensor(norm)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        matrix, root = ctx.saved_tensors
        short = _short_side_first(matrix)
        if root.dtype == matrix.dtype:
            with torch.autocast(matrix.device.type, enabled=False):
                subgradient = (gradient * root) @ short
        else:
            subgradient = torch.empty_like(short)
            for chunk, part in zip(_chunks(short), _chunks(subgradient), strict=True):
                wide = chunk.to(root.dtype)
                part.copy_(gradient * (root @ wide))
        return subgradient if short is matrix else subgradient.T


def _short_side_first(matrix: Tensor) -> Tensor:
    """The matrix, or its transpose where it has more rows than columns: the same norm, and the
    smaller of the two Gram matrices.
    """
    height, width = matrix.shape
    return matrix if height <= width else matrix.T


def _is_well_conditioned(spectrum: Sequence[float], dtype: torch.dtype) -> bool:
    """Whether the inverse root can be kept in the weights' own precision.

    Args:
        spectrum: the squared singular values, ascending.
        dtype: the weights'.
    """
    least = spectrum[0]
    largest = spectrum[-1]
    # The inverse root's largest element is one by the smallest singular value.
    is_representable = least > torch.finfo(dtype).max ** -2
    return is_representable and largest < WELL_CONDITIONED**2 * least


def _gram(short: Tensor) -> Tensor:
    """``XXᵀ`` in float64, chunk by chunk of a long side; a float32 Gram matrix would lose small
    singular values.
    """
    first, *others = _chunks(short)
    wide = first.double()
    gram = wide @ wide.T  # (m, m)
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
    n_rows = len(short)
    at_a_time = max(n_rows, CHUNK // n_rows)
    return short.split(at_a_time, dim=1)
