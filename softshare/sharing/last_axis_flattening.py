"""Last-axis flattening (Yang and Hospedales, "Deep multi-task representation learning", ICLR 2017,
section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor

from softshare.sharing.algebra.axes import MODES, RANKS
from softshare.sharing.algebra.decompositions import Truncation, unfold_sequentially
from softshare.sharing.base import Sharing
from softshare.sharing.factorisation import Ranks
from softshare.sharing.truncated_factorisation import TruncatedFactorisation


@dataclass(frozen=True)
class LastAxisFlattening(TruncatedFactorisation):
    """Every task's weight is a mixture of ``K`` weights that all tasks share.

    ``W[i,o,t] = Σ_k L[i,o,k] S[k,t]``: the factor ``basis`` is ``L``, the rows of ``task`` are the
    columns of ``S``.

    Args:
        rank: ``K``, at most ``min(D, T)`` with ``D`` elements in a task's weight; or a fraction in
            (0, 1] of that maximum, rounded up.
        epsilon: see :class:`~softshare.sharing.truncated_factorisation.TruncatedFactorisation`, as
            for all further settings.
    """

    rank: int | float | None = None

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        """Unchanged: all factors of a grid are flattened into one task axis."""
        return self

    def _given_ranks(self) -> Ranks:
        return (self.rank,) if isinstance(self.rank, int) else self.rank

    def _n_ranks(self, n_modes: int) -> int:
        return 1

    def _rank_bounds(
        self,
        modes: Sequence[int],
        ranks: Sequence[int] | None = None,
    ) -> list[int]:
        return [min(prod(modes[:-1]), modes[-1])]

    def _terms(self, n_modes: int) -> dict[str, str]:
        return {"basis": MODES[:n_modes] + RANKS[0], "task": f"t{RANKS[0]}"}

    def _decompose(
        self,
        tensor: Tensor,
        cuts: Sequence[Truncation],
    ) -> list[Tensor]:
        """``L = U`` and ``S = Σ Vᵀ`` of the truncated SVD of ``W_[N−1]``."""
        left, values, right = cuts[0](unfold_sequentially(tensor, tensor.ndim - 1))
        return [left.reshape(*tensor.shape[:-1], -1), (values.unsqueeze(1) * right).T]
