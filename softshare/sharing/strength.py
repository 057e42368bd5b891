"""How much the tasks share in a layer, read from their composed weights alone, whatever the
sharing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt

import torch
from torch import Tensor


@dataclass(frozen=True)
class SharingStrength:
    """How much ``T`` tasks share in one layer.

    Attributes:
        rho: sharing strength ρ of Yang and Hospedales (2017), in (0, 1]; 1 where all tasks have the
            same weight.
        rho_floor: ρ of tasks that share nothing, each with a direction of its own (``S`` the
            identity); with fewer weight elements than tasks they share these evenly. Unrelated
            random weights lie above it, at about 0.6.
        cosine: mean cosine of two tasks' weights, in [−1, 1]; a weight that is zero has cosine 0
            with all.
        effective_rank: exponential of the entropy of the normalised singular values of the stack
            (Roy and Vetterli 2007): about how many directions the tasks use, from 1 (all tasks'
                weights
            multiples of one) to ``min(D, T)``; 0 where all weights are zero.
    """

    rho: float
    rho_floor: float
    cosine: float
    effective_rank: float


def sharing_strength(stack: Tensor) -> SharingStrength:
    """ρ and its companions for one layer.

    ρ is the mean cosine of the columns of ``softmax(|S|)``, softmax over each column, where ``S (K,
    T)`` is the tasks' side of the factorisation (Yang and Hospedales 2017, section 4.3). It depends
    on how factors split their scale, so here ``S = Σ Vᵀ`` of the composed stack's SVD, all ``K =
    min(D, T)`` rows, divided by the root mean square of its elements: one gauge for every sharing.
    Where singular values are
    equal, ``V`` and with it ρ is not unique; ``cosine`` and ``effective_rank`` always are.

    A single task, and tasks whose weights are all zero, have ρ = 1: their weights are the same.

    Args:
        stack: the tasks' composed weights.

    Shape:
        stack ``(T, *weight)``.
    """
    weights = stack.detach().flatten(1).double()
    values, task_matrix = _task_matrix(weights)
    mixture = torch.softmax(task_matrix.abs(), 0).T
    return SharingStrength(
        rho=_mean_pairwise_cosine(mixture),
        rho_floor=_rho_floor(*task_matrix.shape),
        cosine=_mean_pairwise_cosine(weights),
        effective_rank=_effective_rank(values),
    )


def similarity(stack: Tensor) -> Tensor:
    """Cosine of every two tasks' weights; 0 with a weight that is zero, 1 on the diagonal.

    Args:
        stack: the tasks' composed weights.

    Shape:
        ``(T, *weight)`` → ``(T, T)``.
    """
    directions = torch.nn.functional.normalize(
        stack.detach().flatten(1).double(),
        dim=1,
    )
    return (directions @ directions.T).clamp(-1, 1).fill_diagonal_(1)


def _task_matrix(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values ``(K,)`` of ``W (T, D)``, largest first, and ``S = Σ Vᵀ (K, T)`` of root mean
    square 1.

    From the Gram matrix of the smaller side. In float64 it is exact to 1e-8 of the largest singular
    value, far below what ρ can show.
    """
    n_tasks, n_elements = weights.shape
    if n_tasks <= n_elements:
        squares, vectors = torch.linalg.eigh(weights @ weights.T)
        task_matrix = squares.clamp(min=0).sqrt().unsqueeze(1) * vectors.T
    else:
        squares, vectors = torch.linalg.eigh(weights.T @ weights)
        task_matrix = vectors.T @ weights.T
    scale = task_matrix.square().mean().sqrt()
    return squares.clamp(min=0).sqrt().flip(0), (
        task_matrix / scale if scale > 0 else task_matrix
    ).flip(0)


def _mean_pairwise_cosine(rows: Tensor) -> float:
    """Mean over the pairs of rows, from the sum of their directions: no ``T × T`` matrix; 1 for a
    single row.
    """
    n_rows = len(rows)
    if n_rows == 1:
        return 1.0
    directions = torch.nn.functional.normalize(rows, dim=1)
    pairs = directions.sum(0).square().sum() - directions.square().sum()
    return min(1.0, float(pairs) / (n_rows * (n_rows - 1)))


def _rho_floor(n_rows: int, n_tasks: int) -> float:
    """ρ where task t has all its weight in row ``t mod K``: an identity of root mean square 1 has
    ``√K`` there.
    """
    if n_tasks == 1:
        return 1.0
    low = exp(-sqrt(n_rows))  # the softmax of a zero beside the peak's 1
    apart = (2 * low + (n_rows - 2) * low**2) / (
        1 + (n_rows - 1) * low**2
    )  # cosine of two different columns; equal ones have 1
    in_each, left = divmod(n_tasks, n_rows)
    same = (left * (in_each + 1) * in_each + (n_rows - left) * in_each * (in_each - 1)) / (
        n_tasks * (n_tasks - 1)
    )
    return same + (1 - same) * apart


def _effective_rank(values: Tensor) -> float:
    """``exp(−Σ p ln p)``, ``p = σ / Σ σ``."""
    total = values.sum()
    return float(torch.special.entr(values / total).sum().exp()) if total > 0 else 0.0
