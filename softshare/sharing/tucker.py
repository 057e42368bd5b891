"""Tucker factorisation of the stacked weights (Yang and Hospedales, ICLR 2017, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor

from softshare.sharing.algebra.axes import MODES, RANKS, task_names
from softshare.sharing.algebra.decompositions import Truncation, hosvd, truncated_svd, unfold
from softshare.sharing.factorisation import Ranks
from softshare.sharing.truncated_factorisation import TruncatedFactorisation


@dataclass(frozen=True)
class Tucker(TruncatedFactorisation):
    """All tasks share a subspace of every mode of the layer and a core; each mixes the core's
    slices in its own way.

    ``W[i,o,t] = Σ_abc C[a,b,c] U1[i,a] U2[o,b] U3[t,c]``: the factor ``core`` is ``C``, ``mode_n``
    is ``U_n``, and ``task`` is the last ``U``.

    Args:
        ranks: the multilinear rank ``(K_1, …, K_N)`` in the paper's mode order, the task's last:
            ``(in, out, task)`` for a linear layer, ``(height, width, in, out, task)`` for a
            convolution. ``K_n`` is at most the size of mode n, the product of the others' sizes and
            the product of the other ranks. Or a fraction in (0, 1] of the sizes' maxima, rounded
            up, for layers of any shape; a rank above the product of the others is that product.
        epsilon: see :class:`~softshare.sharing.truncated_factorisation.TruncatedFactorisation`, as
            for all further settings.
    """

    ranks: tuple[int, ...] | float | None = None

    def _given_ranks(self) -> Ranks:
        return self.ranks

    def _n_ranks(self, n_modes: int) -> int:
        return n_modes

    def _rank_bounds(
        self,
        modes: Sequence[int],
        ranks: Sequence[int] | None = None,
    ) -> list[int]:
        n_elements = prod(modes)
        largest = []
        for size in modes:
            largest.append(min(size, n_elements // size))
        if ranks is None:
            return largest
        # A slice of the core for each of K_n components: the core has no more that differ than the
        # other ranks have combinations.
        n_slices = prod(ranks)
        bounds = []
        for bound, rank in zip(largest, ranks, strict=True):
            bounds.append(min(bound, n_slices // rank))
        return bounds

    def _terms(self, n_modes: int) -> dict[str, str]:
        # ABC, aA, bB, tC: the core has every rank, each matrix its mode and its rank.
        n_ranks = n_modes + self._n_axes
        terms = {"core": RANKS[:n_ranks]}
        for n in range(n_modes):
            terms[f"mode_{n + 1}"] = MODES[n] + RANKS[n]
        for axis, name in enumerate(task_names(self._n_axes)):
            terms[name] = "t" + RANKS[n_modes + axis]
        return terms

    def _decompose(
        self,
        tensor: Tensor,
        cuts: Sequence[Truncation],
    ) -> list[Tensor]:
        """HOSVD, the singular values of the task modes moved from the core to the tasks' own
        factors, as LAF has them.

        Tasks that are alike leave components of the task mode empty. Empty in the task's rows, they
        are filled by what tells the tasks apart; an empty slice of the shared core would be filled
        by noise.
        """
        core, matrices = hosvd(tensor, cuts)
        first_task = core.ndim - self._n_axes
        for mode in range(first_task, core.ndim):
            rank, *others = core.movedim(mode, 0).shape
            left, values, right = truncated_svd(unfold(core, mode), rank=rank)
            core = right.reshape(-1, *others).movedim(0, mode)
            matrices[mode] = matrices[mode] @ (left * values)  # (T, K)
        return [core, *matrices]
