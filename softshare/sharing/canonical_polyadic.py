"""Canonical polyadic factorisation of the stacked weights (Hitchcock 1927; Kolda and Bader 2009,
"Tensor decompositions and applications", section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from softshare.sharing.algebra.axes import MODES, RANKS, task_names
from softshare.sharing.algebra.decompositions import unfold
from softshare.sharing.factorisation import Factorisation, Ranks

SWEEPS = 200
"""Of alternating least squares, at most."""

TOLERANCE = 1e-7
"""Sweeps end when the relative error falls by less than this."""

SINGULAR = 1e-12
"""Directions of the normal equations below this fraction of the largest have no solution of their
own: components that have become one.
"""


@dataclass(frozen=True)
class CP(Factorisation):
    """All tasks' weights are sums of ``R`` products of vectors, one vector a mode; each task weighs
    the products in its own way.

    ``W[i,o,t] = Σ_r A[i,r] B[o,r] C[t,r]``: the factor ``mode_n`` is that of mode n, ``task`` is
    ``C``. It is Tucker's with a core that is 1 on its diagonal and 0 elsewhere: a layer costs
    ``R`` numbers for each of its rows, columns and tasks, and no core.

    Args:
        rank: ``R``, at most the product of all modes' sizes but the largest; or a fraction in
            (0, 1] of that maximum, rounded up.
        balanced: see :class:`~softshare.sharing.factorisation.Factorisation`.

    Raises:
        ValueError: the rank is out of range.
    """

    rank: int | float

    def _given_ranks(self) -> Ranks:
        return (self.rank,) if isinstance(self.rank, int) else self.rank

    def _n_ranks(self, n_modes: int) -> int:
        return 1

    def _rank_bounds(
        self,
        modes: Sequence[int],
        ranks: Sequence[int] | None = None,
    ) -> list[int]:
        # Any tensor is a sum of one product for each combination of the other modes' places.
        return [prod(modes) // max(modes)]

    def _ranked_axes(self, axes: Sequence[str]) -> Sequence[str]:
        return ("every mode",)

    def _terms(self, n_modes: int) -> dict[str, str]:
        # aA, bA, …, tA: every matrix has its mode and the one rank.
        rank = RANKS[0]
        terms = {}
        for n in range(n_modes):
            terms[f"mode_{n + 1}"] = MODES[n] + rank
        for name in task_names(self._n_axes):
            terms[name] = "t" + rank
        return terms

    def _fitted(self, layer: str, tensor: Tensor) -> list[Tensor]:
        (rank,) = self._ranks(layer, tensor.shape)
        return alternating_least_squares(tensor, rank)


def alternating_least_squares(tensor: Tensor, rank: int) -> list[Tensor]:
    """The matrices ``(D_n, R)`` of a sum of ``R`` products that is near a tensor.

    Every matrix in turn is the least-squares solution beside the others, the last mode's first: it
    is nowhere guessed, so that a tensor whose last mode is permuted has the same solution permuted.
    What is found is a local minimum, and there need not be a best sum (Kolda and Bader, section
    3.3).

    Args:
        tensor: ``W (D_1, …, D_N)``, in float64.
        rank: ``R``.
    """
    last = tensor.ndim - 1
    matrices = []
    for mode in range(last):
        matrices.append(_leading_directions(tensor, mode, rank))
    unknown = tensor.new_zeros(tensor.shape[last], rank)
    matrices.append(unknown)
    size = float(tensor.norm())
    if size == 0:
        return matrices

    error = 1.0
    order = (last, *range(last))
    for _ in range(SWEEPS):
        for mode in order:
            projected = _projected(tensor, matrices, mode)
            matrices[mode] = _solved(projected, matrices, mode)
            # The sweep's last matrix keeps its lengths: the error is of the sum as it stands.
            if mode != order[-1]:
                matrices = _normalised(matrices, towards=mode)
        before = error
        error = _relative_error(projected, matrices, order[-1], size)
        if before - error < TOLERANCE:
            break
    return _evened(matrices)


def _leading_directions(
    tensor: Tensor,
    mode: int,
    rank: int,
) -> Tensor:
    """Where a mode's matrix starts, ``(D, R)``: the leading left singular vectors of its unfolding,
    and random columns where there are no more of these.
    """
    svd = torch.linalg.svd(unfold(tensor, mode), full_matrices=False)
    left = svd.U[:, :rank]
    # A singular vector's sign is arbitrary, and the solver's choice may depend on the tasks' order.
    places = left.abs().argmax(0, keepdim=True)
    peaks = left.gather(0, places)  # (1, K): each column's largest element
    left = left * torch.where(peaks < 0, -1.0, 1.0)

    height, found = left.shape
    generator = torch.Generator().manual_seed(mode)
    others = torch.randn(
        (height, rank - found),
        generator=generator,
        dtype=torch.float64,
    )
    of_length_one = others.to(left) / height**0.5  # about: the found ones are exactly so
    return torch.cat([left, of_length_one], 1)


def _projected(
    tensor: Tensor,
    matrices: Sequence[Tensor],
    mode: int,
) -> Tensor:
    """``W_(n) (⊙_{m≠n} A_m)``, ``(D_n, R)``: the tensor along every product's other vectors."""
    others = [other for other in range(tensor.ndim) if other != mode]
    longest, *rest = sorted(others, key=tensor.size, reverse=True)
    # The longest mode is summed for all products at once, (D_1, …) → (…, R), the others each
    # product by itself.
    result = torch.tensordot(tensor, matrices[longest], dims=([longest], [0]))
    left = MODES[: tensor.ndim].replace(MODES[longest], "")
    for other in rest:
        letter = MODES[other]
        kept = left.replace(letter, "")
        equation = f"{left}R,{letter}R->{kept}R"
        result = torch.einsum(equation, result, matrices[other])
        left = kept
    return result


def _solved(
    projected: Tensor,
    matrices: Sequence[Tensor],
    mode: int,
) -> Tensor:
    """The matrix of least squares beside the others, from the normal equations ``A_n G = P``."""
    gram = _gram(matrices, mode)
    inverse = torch.linalg.pinv(gram, rtol=SINGULAR, hermitian=True)
    return projected @ inverse


def _gram(matrices: Sequence[Tensor], mode: int) -> Tensor:
    """``∗_{m≠n} A_mᵀ A_m``, ``(R, R)``: inner products of the products' other vectors."""
    grams = []
    for other, matrix in enumerate(matrices):
        if other != mode:
            grams.append(matrix.T @ matrix)
    return torch.stack(grams).prod(0)


def _normalised(matrices: Sequence[Tensor], *, towards: int) -> list[Tensor]:
    """The same with columns of length 1 in one matrix; the next solution makes up for it."""
    lengths = matrices[towards].norm(dim=0)  # (R,)
    divisors = torch.where(lengths > 0, lengths, 1.0)
    result = list(matrices)
    result[towards] = matrices[towards] / divisors
    return result


def _relative_error(
    projected: Tensor,
    matrices: Sequence[Tensor],
    mode: int,
    size: float,
) -> float:
    """``‖W − Ŵ‖ / ‖W‖`` from ``‖W‖² − 2⟨W, Ŵ⟩ + ‖Ŵ‖²``; the mode is the one projected upon."""
    matrix = matrices[mode]
    inner = (projected * matrix).sum()
    gram = _gram(matrices, mode) * (matrix.T @ matrix)
    missing = 2 * inner - gram.sum()
    squared = 1 - float(missing) / size**2
    # What rounding leaves of an exact fit may be below zero.
    return max(squared, 0.0) ** 0.5


def _evened(matrices: Sequence[Tensor]) -> list[Tensor]:
    """The same products with vectors of one length in each."""
    each = [matrix.norm(dim=0) for matrix in matrices]
    lengths = torch.stack(each)  # (N, R)
    level = lengths.prod(0) ** (1 / len(matrices))
    factors = torch.where(lengths > 0, level / lengths, 1.0)
    evened = []
    for matrix, factor in zip(matrices, factors, strict=True):
        evened.append(matrix * factor)
    return evened
