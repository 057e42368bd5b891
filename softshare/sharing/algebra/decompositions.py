"""Unfoldings and the decompositions that start from them.

Modes stand in the papers' order here: a layer's own modes first, the task **last**. Elsewhere in
the code the task is dim 0; :func:`task_last` and :func:`task_first` go from one to the other.

All decompositions expect float64: their guarantees hold to rounding only there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod, sqrt
from typing import Literal

import numpy as np
import torch
from scipy.linalg import qr
from torch import Tensor

from softshare.sharing.grid import TaskGrid

Rule = Literal["frobenius", "reference"]
"""How ε chooses the ranks; see :func:`truncations`."""

TruncatedSVD = tuple[Tensor, Tensor, Tensor]
"""``U (m, k)``, ``σ (k,)`` and ``Vᵀ (k, n)``."""

Truncation = Callable[[Tensor], TruncatedSVD]


def task_last(stack: Tensor) -> Tensor:
    """``(T, D_1, …)`` → ``(D_1, …, T)``."""
    return stack.movedim(0, -1)


def task_first(tensor: Tensor) -> Tensor:
    """``(D_1, …, T)`` → ``(T, D_1, …)``."""
    return tensor.movedim(-1, 0)


def grid_last(
    stack: Tensor,
    grid: TaskGrid,
    order: Sequence[int],
) -> Tensor:
    """``(T, D_1, …)`` of tasks on a full grid → ``(D_1, …, T_1, T_2, …)``."""
    cells = stack[list(order)].unflatten(0, grid.shape)  # (T_1, T_2, …, D_1, …)
    n_axes = len(grid.shape)
    first = tuple(range(n_axes))
    last = tuple(range(-n_axes, 0))
    return cells.movedim(first, last)


def unfold(tensor: Tensor, mode: int) -> Tensor:
    """Mode-n unfolding ``W_(n)``, modes counted from 0: ``(D_n, product of the others)``, the last
    of them fastest.
    """
    return tensor.movedim(mode, 0).flatten(1)


def unfold_sequentially(tensor: Tensor, n_modes: int) -> Tensor:
    """Sequential unfolding ``W_[n]``: the first ``n_modes`` modes are the rows, the others the
    columns.
    """
    height = prod(tensor.shape[:n_modes])
    return tensor.reshape(height, -1)


def mode_product(
    tensor: Tensor,
    matrix: Tensor,
    mode: int,
) -> Tensor:
    """``tensor ×_mode matrix``: every fibre of the mode times ``matrix (K, D_mode)``."""
    product = torch.tensordot(matrix, tensor, dims=([1], [mode]))  # (K, the other modes)
    return product.movedim(0, mode)


def truncated_svd(matrix: Tensor, *, rank: int) -> TruncatedSVD:
    """The leading ``rank`` singular triples: the nearest matrix of that rank (Frobenius)."""
    svd = torch.linalg.svd(matrix, full_matrices=False)
    return _leading(svd, rank)


def _leading(svd: Sequence[Tensor], rank: int) -> TruncatedSVD:
    """The first singular triples, which are those of the largest values."""
    left, values, right = svd
    return left[:, :rank], values[:rank], right[:rank]


def svd_within(
    matrix: Tensor,
    *,
    error: float,
    least_rank: int,
) -> TruncatedSVD:
    """The shortest truncated SVD with ``‖A − Â‖_F ≤ error``.

    Args:
        matrix: ``A``.
        error: the bound.
        least_rank: never fewer singular triples than this where the matrix has as many.
    """
    svd = torch.linalg.svd(matrix, full_matrices=False)
    from_the_smallest = svd.S.square().flip(0)
    lost = from_the_smallest.cumsum(0).flip(0)  # lost[k]: squared error of keeping k triples
    too_few = lost > error**2
    rank = max(int(too_few.sum()), least_rank)
    return _leading(svd, rank)


def interpolative_svd(
    matrix: Tensor,
    *,
    epsilon: float,
    least_rank: int,
) -> TruncatedSVD:
    """SVD of the interpolative decomposition to relative precision ``epsilon``.

    Column-pivoted QR, stopped when the largest residual column norm (the next pivot) is at most
    ``epsilon`` × the largest column norm (the first), then the SVD of that projection. The same as
    ``scipy.linalg.interpolative.svd(matrix, epsilon, rand=False)``, several times as fast on large
    layers. Where it keeps fewer than ``least_rank`` triples, the truncated SVD of ``least_rank`` is
    taken instead.
    """
    # A[:, order] = Q R, the columns in the order in which each adds most to those before it.
    basis, triangle, order = qr(
        matrix.cpu().numpy(),
        mode="economic",
        pivoting=True,
    )
    pivots = np.abs(np.diag(triangle))
    is_kept = pivots > epsilon * pivots[0]
    rank = int(is_kept.sum())
    if rank < min(least_rank, *matrix.shape):
        return truncated_svd(matrix, rank=least_rank)
    in_place = np.argsort(order)
    projection = torch.from_numpy(triangle[:rank, in_place])  # (k, n): A in the basis kept
    svd = torch.linalg.svd(projection.to(matrix), full_matrices=False)
    kept = torch.from_numpy(basis[:, :rank]).to(matrix)  # (m, k)
    return kept @ svd.U, svd.S, svd.Vh


def truncations(
    tensor: Tensor,
    count: int,
    *,
    epsilon: float,
    rule: Rule,
    least_rank: int,
) -> list[Truncation]:
    """How each of the ``count`` SVDs of a decomposition of ``tensor`` is cut off.

    * ``frobenius``: every SVD may leave out ``ε‖W‖_F/√count``. Then ``‖W − Ŵ‖_F ≤ ε‖W‖_F`` for the
      matrix (count 1), the HOSVD (N SVDs; De Lathauwer et al. 2000, property 10) and the TT-SVD (N
      − 1; Oseledets 2011, theorem 2.2).
    * ``reference``: every unfolding by itself to the precision ε, as the release of Yang and
      Hospedales (2017) does; nothing is promised for the whole.
    """
    if rule == "reference":
        cut = partial(
            interpolative_svd,
            epsilon=epsilon,
            least_rank=least_rank,
        )
        return [cut] * count
    # Errors of different SVDs are orthogonal to each other: their squares add up.
    size = float(torch.linalg.vector_norm(tensor))
    budget = epsilon * size / sqrt(count)
    within = partial(
        svd_within,
        error=budget,
        least_rank=least_rank,
    )
    return [within] * count


def hosvd(
    tensor: Tensor,
    cuts: Sequence[Truncation],
) -> tuple[Tensor, list[Tensor]]:
    """Truncated higher-order SVD (De Lathauwer et al. 2000).

    Args:
        tensor: ``W``.
        cuts: how the SVD of each mode's unfolding is truncated.

    Returns:
        The core ``W ×_1 U_1ᵀ … ×_N U_Nᵀ``, ``(K_1, …, K_N)``, and the matrices ``U_n (D_n, K_n)``.
    """
    matrices = []
    for mode, cut in enumerate(cuts):
        left, _values, _right = cut(unfold(tensor, mode))
        matrices.append(left)  # (D_n, K_n)
    core = tensor
    for mode, matrix in enumerate(matrices):
        core = mode_product(core, matrix.T, mode)  # mode n shrinks from D_n to K_n
    return core, matrices


def tt_svd(
    tensor: Tensor,
    cuts: Sequence[Truncation],
) -> list[Tensor]:
    """Tensor-train SVD (Oseledets 2011, algorithm 1): truncated SVDs from the first mode to the
    last.

    Args:
        tensor: ``W``.
        cuts: how each of the N − 1 SVDs is truncated.

    Returns:
        The cores ``(D_1, K_1)``, ``(K_{n−1}, D_n, K_n)``, …, ``(K_{N−1}, D_N)``.
    """
    # (D_1, D_2·D_3) = G_1 · rest, then (K_1·D_2, D_3) = G_2 · rest: every SVD cuts one mode off.
    cores = []
    rest = tensor
    rank = 1
    for extent, cut in zip(tensor.shape, cuts, strict=False):
        matrix = rest.reshape(rank * extent, -1)
        left, values, right = cut(matrix)
        cores.append(left.reshape(rank, extent, -1))
        rest = values.unsqueeze(1) * right  # (K_n, the modes that are left)
        rank = len(values)
    cores[0] = cores[0].squeeze(0)
    return [*cores, rest]
