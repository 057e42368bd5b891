"""What last-axis flattening, Tucker and the tensor train have in common: truncated SVDs, with ranks
given or found by ε.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, get_args

from torch import Tensor

from softshare.sharing.algebra.decompositions import (
    Rule,
    Truncation,
    truncated_svd,
    truncations,
)
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.factorisation import Factorisation, Ranks, check_ranks
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.settings import is_number


@dataclass(frozen=True)
class TruncatedFactorisation(Factorisation):
    """A product of factors that truncated SVDs of the stack's unfoldings find, one for each rank.

    Args:
        task_rank: where ranks are a fraction, a fraction of its own for the task's rank: how
            different the tasks are has nothing to do with how many features a layer needs.
        epsilon: relative error that the ranks are to keep when trained weights are factorised, in
            (0, 1).
        rule: ``"frobenius"`` — the whole reconstruction is within ε in the Frobenius norm;
            ``"reference"`` — as the authors' release of Yang and Hospedales (2017), every unfolding
            is cut by itself with the same ε and nothing is promised for the whole.
        least_rank: ranks from ε are no smaller where the layer allows it. With a task rank of 1 all
            tasks' weights are multiples of one, and trained weights that have one common start are
            so alike that a plain rule often finds 1.
        balanced: see :class:`~softshare.sharing.factorisation.Factorisation`, as for ``grid``. An
            SVD leaves orthonormal factors and all scale in one.

    Raises:
        ValueError: not exactly one of ranks and ``epsilon`` is given, or a setting is out of range.
    """

    task_rank: float | None = field(default=None, kw_only=True)
    epsilon: float | None = field(default=None, kw_only=True)
    rule: Rule = field(default="frobenius", kw_only=True)
    least_rank: int = field(default=2, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        name, ranks = type(self).__name__, self._given_ranks()
        if (ranks is None) == (self.epsilon is None):
            raise ValueError(
                f"{name}: give either ranks or epsilon, and not both; got ranks {ranks} "
                f"and epsilon={self.epsilon}"
            )
        if self.epsilon is not None and not (is_number(self.epsilon) and 0 < self.epsilon < 1):
            raise ValueError(
                f"{name}: epsilon is a relative error between 0 and 1, got {self.epsilon!r}"
            )
        if self.rule not in get_args(Rule):
            raise ValueError(f"{name}: rule must be one of {get_args(Rule)}, got {self.rule!r}")
        if type(self.least_rank) is not int or self.least_rank < 1:
            raise ValueError(
                f"{name}: least_rank must be a whole number of at least 1, got {self.least_rank!r}"
            )
        if self.task_rank is not None:
            self._check_task_rank(ranks)

    def truncated(self, epsilon: float) -> Sharing:
        (ranks,) = [setting.name for setting in fields(self) if setting.name in ("rank", "ranks")]
        none_given: dict[str, Any] = {ranks: None, "task_rank": None}
        return replace(self, epsilon=epsilon, **none_given)

    def _check_task_rank(self, ranks: Ranks) -> None:
        name, task_rank = type(self).__name__, self.task_rank
        if not isinstance(ranks, float):
            raise ValueError(
                f"{name}: task_rank goes with ranks that are a fraction of the largest, "
                f"such as 1.0; got ranks {ranks}"
            )
        # A whole number that stands for a fraction, such as 1, is one.
        rank: Any = task_rank
        if is_number(rank):
            rank = float(rank)
        check_ranks(name, rank)

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        if self.epsilon is not None:
            raise ValueError(
                f"{self}: epsilon cannot choose ranks at a random start, where the tasks' "
                "weights have nothing in common; "
                "give ranks, or train the tasks apart first and factorise them with "
                "network.with_sharing(...) (the STL start)"
            )
        return super().draw(layers, streams)

    def _fractions(self, fraction: float, count: int) -> list[float]:
        """The task axes' ranks have a fraction of their own."""
        of_tasks = [self.task_rank or fraction] * self._n_axes
        return [*[fraction] * (count - self._n_axes), *of_tasks]

    def _fitted(self, layer: str, tensor: Tensor) -> list[Tensor]:
        if self.epsilon is None:
            ranks = self._ranks(layer, tensor.shape)
            return self._decompose(tensor, [partial(truncated_svd, rank=rank) for rank in ranks])
        cuts = truncations(
            tensor,
            self._n_ranks(tensor.ndim),
            epsilon=self.epsilon,
            rule=self.rule,
            least_rank=self.least_rank,
        )
        return self._decompose(tensor, cuts)

    @abstractmethod
    def _decompose(
        self,
        tensor: Tensor,
        cuts: Sequence[Truncation],
    ) -> list[Tensor]:
        """The factors as :meth:`_fitted` gives them, from one truncated SVD a rank."""
