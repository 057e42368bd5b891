"""Tensor-train factorisation of the stacked weights (Yang and Hospedales, ICLR 2017, section 3.2;
Oseledets 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor

from softshare.sharing.algebra.axes import MODES, RANKS, task_names
from softshare.sharing.algebra.decompositions import Truncation, tt_svd
from softshare.sharing.factorisation import Ranks
from softshare.sharing.truncated_factorisation import TruncatedFactorisation


@dataclass(frozen=True)
class TensorTrain(TruncatedFactorisation):
    """A chain of cores, one for each mode of the layer, which all tasks share; a task's own vector
    closes the chain.

    ``W[i,o,t] = Σ_ab G1[i,a] G2[a,o,b] G3[b,t]``: the factor ``core_n`` is ``G_n``, the rows of
    ``task`` are the columns of the last.

    Args:
        ranks: the TT-ranks ``(K_1, …, K_{N−1})``, ``K_n`` between mode n and the next in the
            paper's mode order, the task's last: two for a linear layer, four for a convolution.
            ``K_n`` is at most ``min(K_{n−1}·D_n, D_{n+1}···D_N)``. Or a fraction in (0, 1] of these
            maxima, rounded up, for layers of any shape.
        epsilon: see :class:`~softshare.sharing.truncated_factorisation.TruncatedFactorisation`, as
            for all further settings.
    """

    ranks: tuple[int, ...] | float | None = None

    def _given_ranks(self) -> Ranks:
        return self.ranks

    def _n_ranks(self, n_modes: int) -> int:
        return n_modes - 1

    def _rank_bounds(
        self,
        modes: Sequence[int],
        ranks: Sequence[int] | None = None,
    ) -> list[int]:
        bounds = []
        left = 1  # the rank before a core, or how large it could be
        for n, size in enumerate(modes[:-1]):
            bounds.append(min(left * size, prod(modes[n + 1 :])))
            left = left * size if ranks is None else ranks[n]
        return bounds

    def _terms(self, n_modes: int) -> dict[str, str]:
        # aA, AbB, … of the layer's modes; then tB, or on a grid of two factors tBC, tC.
        terms = {}
        before = ""
        for n in range(n_modes):
            terms[f"core_{n + 1}"] = before + MODES[n] + RANKS[n]
            before = RANKS[n]
        names = task_names(self._n_axes)
        for axis, name in enumerate(names):
            after = "" if name == names[-1] else RANKS[n_modes + axis]
            terms[name] = "t" + before + after
            before = after
        return terms

    def _decompose(
        self,
        tensor: Tensor,
        cuts: Sequence[Truncation],
    ) -> list[Tensor]:
        cores = tt_svd(tensor, cuts)
        first = len(cores) - self._n_axes
        return [*cores[:first], *(core.movedim(1, 0) for core in cores[first:])]
