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
            weights multiples of one) to ``min(D, T)``; 0 where all weights are zero.
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
    Where singular values are equal, ``V`` and with it ρ is not unique; ``cosine`` and
    ``effective_rank`` always are.

    A single task, and tasks whose weights are all zero, have ρ = 1: their weights are the same.

    Args:
        stack: the tasks' composed weights.

    Shape:
        stack ``(T, *weight)``.
    """
    weights = stack.detach().flatten(1).double()  # (T, D)
    values, task_matrix = _task_matrix(weights)
    mixture = torch.softmax(task_matrix.abs(), 0)  # (K, T), a task a column
    return SharingStrength(
        rho=_mean_pairwise_cosine(mixture.T),
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
    weights = stack.detach().flatten(1).double()
    directions = torch.nn.functional.normalize(weights, dim=1)
    cosines = directions @ directions.T
    return cosines.clamp(-1, 1).fill_diagonal_(1)


def _task_matrix(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values ``(K,)`` of ``W (T, D)``, largest first, and ``S = Σ Vᵀ (K, T)`` of root mean
    square 1.

    From the Gram matrix of the smaller side. In float64 it is exact to 1e-8 of the largest singular
    value, far below what ρ can show.
    """
    n_tasks, n_elements = weights.shape
    if n_tasks <= n_elements:
        # W Wᵀ = V Σ² Vᵀ, (T, T)
        squares, vectors = torch.linalg.eigh(weights @ weights.T)
        values = squares.clamp(min=0).sqrt()
        task_matrix = values.unsqueeze(1) * vectors.T
    else:
        # Wᵀ W = U Σ² Uᵀ, (D, D), and Uᵀ Wᵀ = Σ Vᵀ
        squares, vectors = torch.linalg.eigh(weights.T @ weights)
        values = squares.clamp(min=0).sqrt()
        task_matrix = vectors.T @ weights.T
    scale = task_matrix.square().mean().sqrt()
    if scale > 0:
        task_matrix = task_matrix / scale
    # Eigenvalues come ascending.
    return values.flip(0), task_matrix.flip(0)


def _mean_pairwise_cosine(rows: Tensor) -> float:
    """Mean over the pairs of rows, from the sum of their directions: no ``T × T`` matrix; 1 for a
    single row.
    """
    n_rows = len(rows)
    if n_rows == 1:
        return 1.0
    directions = torch.nn.functional.normalize(rows, dim=1)
    # ‖Σ_t d_t‖² counts every ordered pair and each direction with itself.
    all_pairs = directions.sum(0).square().sum()
    with_itself = directions.square().sum()
    n_pairs = n_rows * (n_rows - 1)
    mean = float(all_pairs - with_itself) / n_pairs
    return min(1.0, mean)


def _rho_floor(n_rows: int, n_tasks: int) -> float:
    """ρ where task t has all its weight in row ``t mod K``: an identity of root mean square 1 has
    ``√K`` there.
    """
    if n_tasks == 1:
        return 1.0
    # A column's softmax is proportional to one 1 and K − 1 times this.
    low = exp(-sqrt(n_rows))
    inner = 2 * low + (n_rows - 2) * low**2  # the peaks of two tasks in different rows
    length = 1 + (n_rows - 1) * low**2
    apart = inner / length  # their cosine; tasks in one row have 1

    # So many rows have a task more than the others.
    in_each, left = divmod(n_tasks, n_rows)
    pairs_of_more = (in_each + 1) * in_each
    pairs_of_others = in_each * (in_each - 1)
    in_one_row = left * pairs_of_more + (n_rows - left) * pairs_of_others
    all_pairs = n_tasks * (n_tasks - 1)
    same = in_one_row / all_pairs
    return same + (1 - same) * apart


def _effective_rank(values: Tensor) -> float:
    """``exp(−Σ p ln p)``, ``p = σ / Σ σ``."""
    total = values.sum()
    if not total > 0:
        return 0.0
    entropy = torch.special.entr(values / total).sum()
    return float(entropy.exp())
