"""What last-axis flattening, Tucker and the tensor train have in common: ranks, given or from ε,
and two starts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil
from string import ascii_lowercase, ascii_uppercase
from typing import get_args

import torch
from torch import Tensor

from softshare.sharing._settings import is_number, take_numbers
from softshare.sharing.algebra.decompositions import (
    Rule,
    Truncation,
    grid_last,
    task_last,
    truncated_svd,
    truncations,
)
from softshare.sharing.base import LayerShapes, RandomStreams, SharedWeight, Sharing, common_stack
from softshare.sharing.grid import TaskGrid
from softshare.sharing.weights.drawn_factors import draw_factors
from softshare.sharing.weights.factorised import FactorisedWeight, balance

Ranks = tuple[int, ...] | float | None

MODES = ascii_lowercase.replace("t", "")
"""Letters of a layer's modes in an equation, ``t`` being the task's."""

RANKS = ascii_uppercase
"""Letters of the ranks, in the paper's order."""


@dataclass(frozen=True)
class Factorisation(Sharing):
    """A sharing that writes the stack of the tasks' weights as a product of factors.

    Args:
        task_rank: where ranks are a share, a share of its own for the task's rank: how different
            the tasks are has nothing to do with how many features a layer needs.
        epsilon: relative error that the ranks are to keep when trained weights are factorised, in
            (0, 1).
        rule: ``"frobenius"`` — the whole reconstruction is within ε in the Frobenius norm;
            ``"reference"`` — as the authors' release of Yang and Hospedales (2017), every unfolding
            is cut by itself with the same ε and nothing is promised for the whole.
        least_rank: ranks from ε are no smaller where the layer allows it. With a task rank of 1 all
            tasks' weights are multiples of one, and trained weights that have one common start are
            so alike that a plain rule often finds 1.
        balanced: whether the factors of trained weights are rescaled to one root-mean-square size.
            An exact SVD split leaves orthonormal factors and all scale in one; Adam trains that
            badly.
        grid: one task axis for each factor that indexes the tasks; a network whose tasks' names are
            tuples sets it.

    Raises:
        ValueError: not exactly one of ranks and ``epsilon`` is given, or a setting is out of range.
    """

    task_rank: float | None = field(default=None, kw_only=True)
    epsilon: float | None = field(default=None, kw_only=True)
    rule: Rule = field(default="frobenius", kw_only=True)
    least_rank: int = field(default=2, kw_only=True)
    balanced: bool = field(default=True, kw_only=True)
    grid: TaskGrid | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        take_numbers(self)
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
        if ranks is not None:
            _check_ranks(name, ranks)
        if self.task_rank is not None:
            if not isinstance(ranks, float):
                raise ValueError(
                    f"{name}: task_rank goes with ranks that are a share of the largest, "
                    f"such as 1.0; got ranks {ranks}"
                )
            _check_ranks(
                name, float(self.task_rank) if is_number(self.task_rank) else self.task_rank
            )

    def draw(
        self, layers: Mapping[str, LayerShapes], streams: RandomStreams
    ) -> dict[str, SharedWeight]:
        if self.epsilon is not None:
            raise ValueError(
                f"{self}: epsilon cannot choose ranks at a random start, where the tasks' "
                "weights have nothing in common; "
                "give ranks, or train the tasks apart first and factorise them with "
                "network.with_sharing(...) (the STL start)"
            )
        return {name: self._drawn(name, layer, streams) for name, layer in layers.items()}

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        return {
            name: self._factorised(name, common_stack(stack, name, type(self).__name__))
            for name, stack in stacks.items()
        }

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        return replace(self, grid=TaskGrid.of(names))

    @property
    def _n_axes(self) -> int:
        """How many task axes there are."""
        return len(self.grid.shape) if self.grid else 1

    def _rows(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Which row of each factor of the tasks' own belongs to each task, where several tasks
        share a row.
        """
        return (
            {
                name: list(rows)
                for name, rows in zip(names, zip(*self.grid.places, strict=True), strict=True)
            }
            if self.grid
            else {}
        )

    def _drawn(self, name: str, layer: LayerShapes, streams: RandomStreams) -> SharedWeight:
        shape = layer.common(name, type(self).__name__)
        ranks = self._ranks(
            name, (*shape, *(self.grid.shape if self.grid else (streams.n_tasks_in_all,)))
        )
        terms = self._terms(len(shape))
        own = _own(terms)
        equation = _equation(terms, len(shape))
        sizes = dict(zip(MODES, shape, strict=False)) | dict(zip(RANKS, ranks, strict=False))
        levels = dict(zip(own, self.grid.levels, strict=True)) if self.grid else {}
        factors = draw_factors(
            equation,
            sizes,
            list(terms),
            std=layer.stds[0],
            streams=streams,
            layer=name,
            levels=levels,
        )
        return FactorisedWeight(
            equation,
            factors,
            shape=shape,
            n_tasks=streams.n_tasks,
            ranks=ranks,
            rows=self._rows(own),
        )

    def _factorised(self, name: str, stack: Tensor) -> SharedWeight:
        if not torch.isfinite(stack).all():
            raise ValueError(
                f"layer {name!r}: the weights to factorise are not finite; train them with "
                "a smaller learning rate"
            )
        tensor = self._as_tensor(name, stack.detach().double())
        terms = self._terms(stack.ndim - 1)
        factors = dict(
            zip(terms, self._decompose(tensor, self._truncations(name, tensor)), strict=True)
        )
        size = {
            letter: extent
            for name, term in terms.items()
            for letter, extent in zip(term, factors[name].shape, strict=True)
        }
        ranks = [extent for letter, extent in sorted(size.items()) if letter in RANKS]
        if self.balanced:
            factors = balance(factors)
        factors = {name: factor.to(stack.dtype) for name, factor in factors.items()}
        equation = _equation(terms, stack.ndim - 1)
        rows = self._rows(_own(terms))
        return FactorisedWeight(
            equation, factors, shape=stack.shape[1:], n_tasks=len(stack), ranks=ranks, rows=rows
        )

    def _as_tensor(self, name: str, stack: Tensor) -> Tensor:
        """``(T, *weight)`` → the papers' tensor, its last mode the task or, on a grid, its last
        modes the factors.
        """
        if self.grid is None:
            return task_last(stack)
        remedy = (
            ", or start the factorisation at random (initial='independent'), which takes an "
            "incomplete grid"
        )
        return grid_last(
            stack, self.grid, self.grid.order(name, type(self).__name__, remedy=remedy)
        )

    def _truncations(self, name: str, tensor: Tensor) -> list[Truncation]:
        if self.epsilon is None:
            return [partial(truncated_svd, rank=rank) for rank in self._ranks(name, tensor.shape)]
        return truncations(
            tensor,
            self._n_ranks(tensor.ndim),
            epsilon=self.epsilon,
            rule=self.rule,
            least_rank=self.least_rank,
        )

    def _ranks(self, layer: str, modes: Sequence[int]) -> tuple[int, ...]:
        """The given ranks for a layer whose modes, the task's last, have these sizes."""
        given = self._given_ranks()
        if not isinstance(given, tuple):
            # The subtraction keeps 0.07 × 100 = 7.000000000000001 at 7.
            fractions = [given or 1.0] * self._n_ranks(len(modes))
            fractions[-self._n_axes :] = [self.task_rank or fractions[-1]] * self._n_axes
            largest = self._rank_bounds(modes)
            ranks = [
                ceil(part * bound - 1e-9) for part, bound in zip(fractions, largest, strict=True)
            ]
            return self._within_bounds(ranks, modes)
        count, name, axes = (
            self._n_ranks(len(modes)),
            type(self).__name__,
            axis_names(len(modes), self._n_axes),
        )
        ranked = axes[-1:] if count == 1 else axes[:count]
        if len(given) != count:
            raise ValueError(
                f"layer {layer!r}: {name} needs a rank for each of the axes "
                f"{', '.join(ranked)}, got {given}; "
                "name the layers that these ranks suit by a pattern, or give a share of "
                "the largest ranks such as 0.5"
            )
        for rank, bound, axis in zip(given, self._rank_bounds(modes, given), ranked, strict=True):
            if rank > bound:
                raise ValueError(
                    f"layer {layer!r}: {name} rank {rank} of axis {axis!r} is above its "
                    f"maximum {bound} "
                    f"(sizes {dict(zip(axes, modes, strict=True))}, ranks {given}); lower "
                    "it, or give a share of the maximum such as 0.5"
                )
        return given

    def _within_bounds(self, ranks: Sequence[int], modes: Sequence[int]) -> tuple[int, ...]:
        """The ranks, each lowered to what the others allow."""
        allowed = tuple(map(min, ranks, self._rank_bounds(modes, ranks)))
        return allowed if allowed == tuple(ranks) else self._within_bounds(allowed, modes)

    @abstractmethod
    def _given_ranks(self) -> Ranks:
        """The ranks' setting."""

    @abstractmethod
    def _n_ranks(self, n_modes: int) -> int:
        """How many ranks a tensor of so many modes, the task's included, has: one for each
        truncated SVD.
        """

    @abstractmethod
    def _rank_bounds(self, modes: Sequence[int], ranks: Sequence[int] | None = None) -> list[int]:
        """The largest useful ranks, beside the other ranks given or at all."""

    @abstractmethod
    def _terms(self, n_modes: int) -> dict[str, str]:
        """Factor's name → its letters, for a layer of so many modes (the tasks' not counted); the
        tasks' own last, one a task axis.
        """

    @abstractmethod
    def _decompose(self, tensor: Tensor, cuts: Sequence[Truncation]) -> list[Tensor]:
        """The factors of a tensor with the task last, in the order of the terms; the tasks' own
        have the task as dim 0.
        """


def _own(terms: Mapping[str, str]) -> list[str]:
    return [name for name, term in terms.items() if term.startswith("t")]


def task_names(n_axes: int) -> list[str]:
    """The names of the tasks' own factors: ``task``, or ``task_1``, ``task_2``, … on a grid."""
    return ["task"] if n_axes == 1 else [f"task_{axis + 1}" for axis in range(n_axes)]


def _equation(terms: Mapping[str, str], n_modes: int) -> str:
    return f"{','.join(terms.values())}->t{MODES[:n_modes]}"


def axis_names(n_modes: int, n_axes: int = 1) -> tuple[str, ...]:
    """What the modes of a linear layer or a convolution are in the papers' order, the task's last,
    or one for each factor of a grid.
    """
    window = ("depth", "height", "width")
    tasks = task_names(n_axes)
    n_features = n_modes - n_axes
    if not 2 <= n_features <= 5:
        return (*(f"mode {n + 1}" for n in range(n_features)), *tasks)
    return (*window[5 - n_features :], "in", "out", *tasks)


def _check_ranks(name: str, ranks: tuple[int, ...] | float) -> None:
    if isinstance(ranks, float):
        if not 0 < ranks <= 1:
            raise ValueError(
                f"{name}: a share of the largest ranks is above 0 and at most 1, got {ranks}"
            )
    elif (
        not isinstance(ranks, tuple)
        or not ranks
        or not all(type(rank) is int and rank >= 1 for rank in ranks)
    ):
        raise ValueError(
            f"{name}: ranks are whole numbers of at least 1, such as (32, 5), or a share "
            f"of the largest, such as 0.5; got {ranks!r}"
        )
