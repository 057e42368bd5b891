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
        matrices = {f"mode_{n + 1}": MODES[n] + RANKS[0] for n in range(n_modes)}
        return {**matrices, **dict.fromkeys(task_names(self._n_axes), f"t{RANKS[0]}")}

    def _fitted(self, layer: str, tensor: Tensor) -> list[Tensor]:
        (rank,) = self._ranks(layer, tensor.shape)
        return alternating_least_squares(tensor, rank)


def alternating_least_squares(
    tensor: Tensor,
    rank: int,
) -> list[Tensor]:
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
    matrices = [_leading_directions(tensor, mode, rank) for mode in range(last)]
    matrices.append(tensor.new_zeros(tensor.shape[last], rank))
    size, error = float(tensor.norm()), 1.0
    if size == 0:
        return matrices
    for _ in range(SWEEPS):
        for mode in (last, *range(last)):
            projected = _projected(tensor, matrices, mode)
            matrices[mode] = _solved(projected, matrices, mode)
            if mode != last - 1:
                matrices = _normalised(matrices, towards=mode)
        before, error = error, _relative_error(projected, matrices, last - 1, size)
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
    left = torch.linalg.svd(unfold(tensor, mode), full_matrices=False)[0][:, :rank]
    # A singular vector's sign is arbitrary, and the solver's choice may depend on the tasks' order.
    peaks = left.gather(0, left.abs().argmax(0, keepdim=True))
    left = left * torch.where(peaks < 0, -1.0, 1.0)
    generator = torch.Generator().manual_seed(mode)
    shape = (len(left), rank - left.shape[1])
    others = torch.randn(
        shape,
        generator=generator,
        dtype=torch.float64,
    ).to(left)
    return torch.cat([left, others / len(left) ** 0.5], 1)


def _projected(
    tensor: Tensor,
    matrices: Sequence[Tensor],
    mode: int,
) -> Tensor:
    """``W_(n) (⊙_{m≠n} A_m)``, ``(D_n, R)``: the tensor along every product's other vectors."""
    letters = MODES[: tensor.ndim]
    others = [other for other in range(tensor.ndim) if other != mode]
    first, *rest = sorted(others, key=lambda other: tensor.shape[other], reverse=True)
    # The longest mode is summed for all products at once, (D_1, …) → (…, R), the others each
    # product by itself.
    result = torch.tensordot(tensor, matrices[first], dims=([first], [0]))
    left = letters.replace(letters[first], "")
    for other in rest:
        kept = left.replace(letters[other], "")
        equation = f"{left}R,{letters[other]}R->{kept}R"
        result, left = torch.einsum(equation, result, matrices[other]), kept
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
    grams = [matrix.T @ matrix for other, matrix in enumerate(matrices) if other != mode]
    return torch.stack(grams).prod(0)


def _normalised(
    matrices: Sequence[Tensor],
    *,
    towards: int,
) -> list[Tensor]:
    """The same with columns of length 1 in one matrix; the next solution makes up for it."""
    lengths = matrices[towards].norm(dim=0)
    unit = matrices[towards] / torch.where(lengths > 0, lengths, 1.0)
    return [unit if mode == towards else matrix for mode, matrix in enumerate(matrices)]


def _relative_error(
    projected: Tensor,
    matrices: Sequence[Tensor],
    mode: int,
    size: float,
) -> float:
    """``‖W − Ŵ‖ / ‖W‖`` from ``‖W‖² − 2⟨W, Ŵ⟩ + ‖Ŵ‖²``; the mode is the one projected upon."""
    inner = (projected * matrices[mode]).sum()
    gram = _gram(matrices, mode) * (matrices[mode].T @ matrices[mode])
    squared = 1 - float(2 * inner - gram.sum()) / size**2
    return max(squared, 0.0) ** 0.5


def _evened(matrices: Sequence[Tensor]) -> list[Tensor]:
    """The same products with vectors of one length in each."""
    lengths = torch.stack([matrix.norm(dim=0) for matrix in matrices])
    level = lengths.prod(0) ** (1 / len(matrices))
    factors = torch.where(lengths > 0, level / lengths, 1.0)
    return [matrix * factor for matrix, factor in zip(matrices, factors, strict=True)]
