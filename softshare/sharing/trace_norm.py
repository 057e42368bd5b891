"""Trace norm regularisation (Yang and Hospedales, "Trace norm regularised deep multi-task
learning", 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

import torch
from torch import Tensor

from softshare.sharing.algebra.axes import axis_names
from softshare.sharing.algebra.decompositions import grid_last, task_last
from softshare.sharing.algebra.trace_norms import (
    NORMS,
    Unfolding,
    matricise,
    tensor_trace_norms,
    trace_norm,
    unfoldings,
)
from softshare.sharing.algebra.trace_norms import Norm as Norm
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing, common_stack
from softshare.sharing.grid import TaskGrid
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.settings import is_number, take_numbers
from softshare.sharing.weights.regularised import RegularisedWeight, drawn_stack

Cells = tuple[TaskGrid, list[int]] | None


@dataclass(frozen=True)
class TraceNorm(Sharing):
    """Every task has its own weights; a penalty draws their stack to a low rank, so that tasks
    reuse each other's.

    Adds ``Σ_n γ_n ‖unfolding n of W‖_*`` for every layer, ``‖X‖_*`` the sum of the singular values
    (equations 1 to 3). Neither start is wrong: from independent initial weights tasks must find
    common directions first, from a common start
    they have one and leave it only where that pays.

    Args:
        norm: which unfoldings count: ``"laf"`` — the one with the task as its rows; ``"tucker"`` —
            every mode's; ``"tt"`` — the sequential ones, the first 1, 2, … modes as rows.
        gamma: strength of each unfolding's norm beside the sum of the tasks' mean losses; one
            number, or one for each unfolding in the paper's order (0 leaves it out). What suits
            depends on the loss and the network: search from 0.001 to 1.
        per_example: whether ``gamma`` counts beside the tasks' sums of losses instead, each
            example's loss counted in full: the penalty is then divided by the mean number of
            examples a task.
        every: steps between evaluations of all unfoldings but the task's own. In between each is
            replaced by its tangent at the last evaluation, ``⟨∂‖X₀‖_*, X⟩ ≤ ‖X‖_*``. Unfoldings by
            a wide feature mode cost more than the training step; the task's, whose smaller side is
            usually the number of tasks, costs little.
        grid: one task mode for each factor that indexes the tasks (``tucker`` and ``tt``); a
            network whose tasks' names are tuples sets it.

    Raises:
        ValueError: a setting is out of range.
    """

    norm: Norm = "laf"
    gamma: float | tuple[float, ...] = field(default=0.01, kw_only=True)
    per_example: bool = field(default=False, kw_only=True)
    every: int = field(default=1, kw_only=True)
    grid: TaskGrid | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        take_numbers(self)
        if self.norm not in NORMS:
            raise ValueError(f"TraceNorm: norm must be one of {NORMS}, got {self.norm!r}")
        values = self.gamma if isinstance(self.gamma, tuple) else (self.gamma,)
        if not values or not all(is_number(value) and value >= 0 for value in values):
            raise ValueError(
                "TraceNorm: gamma is a number of at least 0, or a tuple of one for each "
                f"unfolding; got {self.gamma!r}"
            )
        if type(self.every) is not int or self.every < 1:
            raise ValueError(
                f"TraceNorm: every is a number of steps of at least 1, got {self.every!r}"
            )

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        weights: dict[str, SharedWeight] = {}
        for name, layer in layers.items():
            stack = drawn_stack(name, layer, streams, sharing="TraceNorm")
            weights[name] = self._weight(name, stack)
        return weights

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The trained weights as they are."""
        weights: dict[str, SharedWeight] = {}
        for name, given in stacks.items():
            stack = common_stack(given, name, "TraceNorm")
            weights[name] = self._weight(name, stack)
        return weights

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        if self.norm == "laf":
            return self
        return replace(self, grid=TaskGrid.of(names))

    @property
    def _n_axes(self) -> int:
        """How many task axes there are."""
        return len(self.grid.shape) if self.grid else 1

    def _weight(self, layer: str, stack: Tensor) -> SharedWeight:
        n_features = stack.ndim - 1
        cells = None
        if self.grid is not None:
            remedy = ', or take the norm "laf", which has one task axis'
            order = self.grid.order(layer, "TraceNorm", remedy=remedy)
            cells = (self.grid, order)
        return TraceNormWeight(
            stack,
            strengths=self._strengths(layer, n_features + self._n_axes),
            per_example=self.per_example,
            every=self.every,
            cells=cells,
        )

    def _strengths(
        self,
        layer: str,
        n_modes: int,
    ) -> dict[Unfolding, float]:
        """Unfolding → γ, those of γ = 0 left out."""
        rows = unfoldings(self.norm, n_modes)
        gammas = self.gamma
        if not isinstance(gammas, tuple):
            gammas = (gammas,) * len(rows)
        if len(gammas) != len(rows):
            axes = axis_names(n_modes, self._n_axes)
            raise ValueError(
                f"layer {layer!r}: TraceNorm({self.norm!r}) has {len(rows)} unfolding(s) "
                f"here (axes {', '.join(axes)}), gamma has "
                f"{len(gammas)} values, {gammas}; give one number for all, or name the "
                "layers that these suit by a pattern"
            )
        # A matrix's modes are two, and its unfoldings by either are one: their γ add up.
        total: dict[Unfolding, float] = {}
        for unfolding, gamma in zip(rows, gammas, strict=True):
            total[unfolding] = total.get(unfolding, 0.0) + gamma
        return {unfolding: gamma for unfolding, gamma in total.items() if gamma > 0}


class TraceNormWeight(RegularisedWeight):
    """Independent weights and a weighted sum of trace norms of their stack.

    Args:
        stack: the tasks' initial weights.
        strengths: unfolding → γ.
        per_example: see :class:`TraceNorm`, as for ``every``.
        every: between evaluations of all unfoldings but the task's.
        cells: the grid that the tasks stand on and their order in it, if they do.

    Shape:
        stack ``(T, *weight)``.
    """

    step: Tensor
    tangent: Tensor

    def __init__(
        self,
        stack: Tensor,
        *,
        strengths: Mapping[Unfolding, float],
        per_example: bool,
        every: int,
        cells: Cells = None,
    ) -> None:
        super().__init__(stack)
        self._cells = cells
        self._per_example = per_example
        self._every = every
        self._each_step: dict[Unfolding, float] = {}
        self._at_times: dict[Unfolding, float] = {}
        n_features = stack.ndim - 1
        for rows, gamma in strengths.items():
            n_feature_rows = len(set(rows).intersection(range(n_features)))
            is_of_tasks = n_feature_rows in (0, n_features)  # one side has tasks only
            if every == 1 or is_of_tasks:
                self._each_step[rows] = gamma
            else:
                self._at_times[rows] = gamma
        self.updates = bool(self._at_times)
        if self._at_times:
            self.register_buffer("step", torch.zeros((), dtype=torch.long))
            self.register_buffer("tangent", torch.zeros_like(self.weight))

    def penalty(self, examples: Tensor) -> Tensor:
        value = _weighted_norms(self.weight, self._each_step, self._cells)
        if self._at_times:
            value = value + self._tangent_value()
        if not self._per_example:
            return value
        return value / examples.to(value.dtype).mean()

    def after_step(self) -> None:
        if self.updates:
            self.step += 1

    def _tangent_value(self) -> Tensor:
        """``⟨∂‖X₀‖_*, X⟩``, which at ``X₀`` is the norm itself."""
        is_due = int(self.step) % self._every == 0
        if is_due:
            with torch.enable_grad():
                weight = self.weight.detach().requires_grad_()
                norms = _weighted_norms(weight, self._at_times, self._cells)
                (gradient,) = torch.autograd.grad(norms, weight)
            self.tangent.copy_(gradient)
        return (self.tangent * self.weight).sum()


def _weighted_norms(
    stack: Tensor,
    strengths: Mapping[Unfolding, float],
    cells: Cells,
) -> Tensor:
    """``Σ_n γ_n ‖X_n‖_*``, shape ``()``."""
    tensor = task_last(stack) if cells is None else grid_last(stack, *cells)
    total = stack.new_zeros(())
    for rows, gamma in strengths.items():
        norm = trace_norm(matricise(tensor, rows))
        total = total + gamma * norm
    return total


def trace_norm_strength(before: Tensor, after: Tensor) -> dict[Norm, float]:
    """How strongly training has tied a layer: ``1 − ‖W after‖_* / ‖W before‖_*`` for each tensor
    trace norm, γ left out.

    0 where the norm has not changed, near 1 where little of it is left, negative where it has
    grown. It means something from independent initial weights only: from a common start, where the
    stack has rank 1, any training raises the norm.

    Args:
        before: the tasks' weights at initialisation.
        after: the trained weights.

    Returns:
        Norm → strength; nan where the initial weights are all zero.

    Raises:
        ValueError: the stacks differ in shape.

    Shape:
        both ``(T, *weight)``.
    """
    if before.shape != after.shape:
        raise ValueError(
            "trace_norm_strength: both stacks must have one shape (T, *weight), got "
            f"{tuple(before.shape)} and {tuple(after.shape)}"
        )
    first = _all_norms(before)
    last = _all_norms(after)
    strengths = {}
    for norm in NORMS:
        is_defined = first[norm] > 0
        strengths[norm] = float(1 - last[norm] / first[norm]) if is_defined else nan
    return strengths


def _all_norms(stack: Tensor) -> dict[Norm, Tensor]:
    tensor = task_last(stack.detach().double())
    return tensor_trace_norms(tensor)
