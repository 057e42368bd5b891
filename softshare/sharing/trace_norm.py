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
from softshare.sharing.base import LayerShapes, RandomStreams, SharedWeight, Sharing, common_stack
from softshare.sharing.grid import TaskGrid
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
        return {
            name: self._weight(name, drawn_stack(name, layer, streams, sharing="TraceNorm"))
            for name, layer in layers.items()
        }

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The trained weights as they are."""
        return {
            name: self._weight(name, common_stack(stack, name, "TraceNorm"))
            for name, stack in stacks.items()
        }

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        return self if self.norm == "laf" else replace(self, grid=TaskGrid.of(names))

    def _weight(self, layer: str, stack: Tensor) -> SharedWeight:
        n_modes = stack.ndim - 1 + (len(self.grid.shape) if self.grid else 1)
        remedy = ', or take the norm "laf", which has one task axis'
        cells = (
            None
            if self.grid is None
            else (self.grid, self.grid.order(layer, "TraceNorm", remedy=remedy))
        )
        strengths = self._strengths(layer, n_modes)
        return TraceNormWeight(
            stack,
            strengths=strengths,
            per_example=self.per_example,
            every=self.every,
            cells=cells,
        )

    def _strengths(
        self,
        layer: str,
        n_modes: int,
    ) -> dict[Unfolding, float]:
        rows = unfoldings(self.norm, n_modes)
        gammas = self.gamma if isinstance(self.gamma, tuple) else (self.gamma,) * len(rows)
        if len(gammas) != len(rows):
            axes = axis_names(n_modes, len(self.grid.shape) if self.grid else 1)
            raise ValueError(
                f"layer {layer!r}: TraceNorm({self.norm!r}) has {len(rows)} unfolding(s) "
                f"here (axes {', '.join(axes)}), gamma has "
                f"{len(gammas)} values, {gammas}; give one number for all, or name the "
                "layers that these suit by a pattern"
            )
        strengths: dict[Unfolding, float] = {}
        for unfolding, gamma in zip(rows, gammas, strict=True):
            strengths[unfolding] = strengths.get(unfolding, 0.0) + gamma
        return {unfolding: gamma for unfolding, gamma in strengths.items() if gamma > 0}


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
        features = range(stack.ndim - 1)
        own = [
            rows
            for rows in strengths
            if len(set(rows).intersection(features)) in (0, len(features))
        ]  # one side tasks only
        self._each_step = {
            rows: gamma for rows, gamma in strengths.items() if every == 1 or rows in own
        }
        self._at_times = {
            rows: gamma for rows, gamma in strengths.items() if rows not in self._each_step
        }
        self._per_example, self._every = per_example, every
        self.updates = bool(self._at_times)
        if self._at_times:
            self.register_buffer("step", torch.zeros((), dtype=torch.long))
            self.register_buffer("tangent", torch.zeros_like(self.weight))

    def penalty(self, examples: Tensor) -> Tensor:
        value = _weighted_norms(
            self.weight,
            self._each_step,
            self._cells,
        )
        if self._at_times:
            value = value + self._tangent_value()
        return value / examples.to(value.dtype).mean() if self._per_example else value

    def after_step(self) -> None:
        if self.updates:
            self.step += 1

    def _tangent_value(self) -> Tensor:
        """``⟨∂‖X₀‖_*, X⟩``, which at ``X₀`` is the norm itself."""
        if int(self.step) % self._every == 0:
            with torch.enable_grad():
                weight = self.weight.detach().requires_grad_()
                (gradient,) = torch.autograd.grad(
                    _weighted_norms(weight, self._at_times, self._cells), weight
                )
            self.tangent.copy_(gradient)
        return (self.tangent * self.weight).sum()


def _weighted_norms(
    stack: Tensor,
    strengths: Mapping[Unfolding, float],
    cells: Cells,
) -> Tensor:
    tensor = task_last(stack) if cells is None else grid_last(stack, *cells)
    return sum(
        (gamma * trace_norm(matricise(tensor, rows)) for rows, gamma in strengths.items()),
        stack.new_zeros(()),
    )


def trace_norm_strength(
    before: Tensor,
    after: Tensor,
) -> dict[Norm, float]:
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
    first, last = (
        tensor_trace_norms(task_last(stack.detach().double())) for stack in (before, after)
    )
    return {norm: float(1 - last[norm] / first[norm]) if first[norm] > 0 else nan for norm in NORMS}
