"""What all products of factors have in common: ranks, and a start at random or from weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import ceil

import torch
from torch import Tensor

from softshare.sharing.algebra.axes import MODES, RANKS, axis_names
from softshare.sharing.algebra.decompositions import grid_last, task_last
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing, common_stack
from softshare.sharing.grid import TaskGrid
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.settings import take_numbers
from softshare.sharing.weights.drawn_factors import draw_factors
from softshare.sharing.weights.factorised import FactorisedWeight, balance

Ranks = tuple[int, ...] | float | None
"""Whole numbers in the paper's order, or a fraction of the largest; None where ε chooses."""


@dataclass(frozen=True)
class Factorisation(Sharing):
    """A sharing that writes the stack of the tasks' weights as a product of factors.

    A product says which letters its factors have, how large its ranks can be, and how it is fitted
    to a tensor; all else is the same for every one.

    Args:
        balanced: whether the factors of trained weights are rescaled to one root-mean-square size.
            An exact fit often leaves all scale in one of them; Adam trains that badly.
        grid: one task axis for each factor that indexes the tasks; a network whose tasks' names are
            tuples sets it.

    Raises:
        ValueError: a setting is out of range.
    """

    balanced: bool = field(default=True, kw_only=True)
    grid: TaskGrid | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        take_numbers(self)
        given = self._given_ranks()
        if given is not None:
            check_ranks(type(self).__name__, given, example=self._example_of_ranks)

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        return {name: self._drawn(name, layer, streams) for name, layer in layers.items()}

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        sharing = type(self).__name__
        return {
            name: self._factorised(name, common_stack(stack, name, sharing))
            for name, stack in stacks.items()
        }

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        return replace(self, grid=TaskGrid.of(names))

    @property
    def _n_axes(self) -> int:
        """How many task axes there are."""
        return len(self.grid.shape) if self.grid else 1

    @property
    def _example_of_ranks(self) -> str:
        """Whole numbers that the setting could be, for a message; one number where it is one."""
        is_one = any(setting.name == "rank" for setting in fields(self))
        return "5" if is_one else "(32, 5)"

    # --- what a product says of itself ---------------------------------------------------------

    @abstractmethod
    def _given_ranks(self) -> Ranks:
        """The ranks' setting."""

    @abstractmethod
    def _n_ranks(self, n_modes: int) -> int:
        """How many ranks a tensor of so many modes, the task's included, has."""

    @abstractmethod
    def _rank_bounds(
        self,
        modes: Sequence[int],
        ranks: Sequence[int] | None = None,
    ) -> list[int]:
        """The largest useful ranks, beside the other ranks given or at all."""

    @abstractmethod
    def _terms(self, n_modes: int) -> dict[str, str]:
        """Factor's name → its letters, for a layer of so many modes (the tasks' not counted); the
        tasks' own last, one a task axis.
        """

    @abstractmethod
    def _fitted(self, layer: str, tensor: Tensor) -> list[Tensor]:
        """The factors of a tensor with the task last, in the order of the terms; the tasks' own
        have the task as dim 0.
        """

    # --- the two starts ------------------------------------------------------------------------

    def _drawn(
        self,
        name: str,
        layer: LayerShapes,
        streams: RandomStreams,
    ) -> SharedWeight:
        shape = layer.common(name, type(self).__name__)
        task_modes = self.grid.shape if self.grid else (streams.n_tasks_in_all,)
        ranks = self._ranks(name, (*shape, *task_modes))
        terms = self._terms(len(shape))
        own = _own(terms)
        equation = _equation(terms, len(shape))
        sizes = dict(zip(MODES, shape, strict=False)) | dict(zip(RANKS, ranks, strict=False))
        factors = draw_factors(
            equation,
            sizes,
            list(terms),
            std=layer.stds[0],
            streams=streams,
            layer=name,
            levels=dict(zip(own, self.grid.levels, strict=True)) if self.grid else {},
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
        # Decompositions keep their guarantees in double precision only.
        tensor = self._as_tensor(name, stack.detach().double())
        n_modes = stack.ndim - 1
        terms = self._terms(n_modes)
        factors = dict(zip(terms, self._fitted(name, tensor), strict=True))
        size: dict[str, int] = {}
        for factor, term in terms.items():
            size |= dict(zip(term, factors[factor].shape, strict=True))
        ranks = [extent for letter, extent in sorted(size.items()) if letter in RANKS]
        if self.balanced:
            factors = balance(factors)
        return FactorisedWeight(
            _equation(terms, n_modes),
            {factor: values.to(stack.dtype) for factor, values in factors.items()},
            shape=stack.shape[1:],
            n_tasks=len(stack),
            ranks=ranks,
            rows=self._rows(_own(terms)),
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
        order = self.grid.order(
            name,
            type(self).__name__,
            remedy=remedy,
        )
        return grid_last(stack, self.grid, order)

    def _rows(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Which row of each factor of the tasks' own belongs to each task, where several tasks
        share a row.
        """
        if self.grid is None:
            return {}
        by_axis = zip(*self.grid.places, strict=True)
        return dict(zip(names, map(list, by_axis), strict=True))

    # --- ranks ---------------------------------------------------------------------------------

    def _ranks(
        self,
        layer: str,
        modes: Sequence[int],
    ) -> tuple[int, ...]:
        """The given ranks for a layer whose modes, the task's last, have these sizes."""
        given = self._given_ranks()
        if not isinstance(given, tuple):
            return self._ranks_of_fraction(given or 1.0, modes)
        axes = axis_names(len(modes), self._n_axes)
        ranked = self._ranked_axes(axes)
        self._check_number(layer, given, ranked)
        sizes = dict(zip(axes, modes, strict=True))
        for rank, bound, axis in zip(given, self._rank_bounds(modes, given), ranked, strict=True):
            if rank > bound:
                raise ValueError(
                    f"layer {layer!r}: {type(self).__name__} rank {rank} of axis {axis!r} is above "
                    f"its maximum {bound} (sizes {sizes}, ranks {given}); lower it, or give a "
                    "fraction of the maximum such as 0.5"
                )
        return given

    def _check_number(
        self,
        layer: str,
        given: Sequence[int],
        ranked: Sequence[str],
    ) -> None:
        if len(given) != len(ranked):
            raise ValueError(
                f"layer {layer!r}: {type(self).__name__} needs a rank for each of the axes "
                f"{', '.join(ranked)}, got {given}; name the layers that these ranks suit by a "
                "pattern, or give a fraction of the largest ranks such as 0.5"
            )

    def _ranked_axes(self, axes: Sequence[str]) -> Sequence[str]:
        """The axis that each rank is said to be of."""
        count = self._n_ranks(len(axes))
        return axes[-1:] if count == 1 else axes[:count]

    def _ranks_of_fraction(
        self,
        fraction: float,
        modes: Sequence[int],
    ) -> tuple[int, ...]:
        largest = self._rank_bounds(modes)
        fractions = self._fractions(fraction, len(largest))
        # The subtraction keeps 0.07 × 100 = 7.000000000000001 at 7.
        pairs = zip(fractions, largest, strict=True)
        ranks = tuple(ceil(part * bound - 1e-9) for part, bound in pairs)
        return self._within_bounds(ranks, modes)

    def _fractions(self, fraction: float, count: int) -> list[float]:
        """The fraction of each rank's maximum."""
        return [fraction] * count

    def _within_bounds(
        self,
        ranks: tuple[int, ...],
        modes: Sequence[int],
    ) -> tuple[int, ...]:
        """The ranks, each lowered to what the others allow."""
        allowed = tuple(map(min, ranks, self._rank_bounds(modes, ranks)))
        return ranks if allowed == ranks else self._within_bounds(allowed, modes)


def check_ranks(
    name: str,
    ranks: tuple[int, ...] | float,
    *,
    example: str = "(32, 5)",
) -> None:
    """Make sure that ranks are whole numbers of at least 1, or a fraction.

    Args:
        name: the sharing's.
        ranks: the setting.
        example: whole numbers that it could be.

    Raises:
        ValueError: they are not.
    """
    if isinstance(ranks, float):
        if not 0 < ranks <= 1:
            raise ValueError(
                f"{name}: a fraction of the largest ranks is above 0 and at most 1, got {ranks}"
            )
        return
    if _is_rank(ranks):
        raise ValueError(
            f"{name}: ranks are one whole number for each mode, such as {example}, or a fraction "
            f"of the largest, such as 0.5; got one number for all, {ranks!r}"
        )
    if not isinstance(ranks, tuple) or not ranks or not all(map(_is_rank, ranks)):
        raise ValueError(
            f"{name}: ranks are whole numbers of at least 1, one for each mode, such as {example}, "
            f"or a fraction of the largest, such as 0.5; got {ranks!r}"
        )


def _is_rank(rank: object) -> bool:
    return type(rank) is int and rank >= 1


def _own(terms: Mapping[str, str]) -> list[str]:
    return [name for name, term in terms.items() if term.startswith("t")]


def _equation(terms: Mapping[str, str], n_modes: int) -> str:
    return f"{','.join(terms.values())}->t{MODES[:n_modes]}"
