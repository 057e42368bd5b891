"""Tensor normal prior with learned covariances: DRN, MRN (Long, Wang and Yu, "Learning multiple
tasks with deep relationship networks").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor, nn

from softshare.sharing.algebra.axes import axis_names
from softshare.sharing.algebra.tensor_normal_density import (
    WELL_CONDITIONED,
    Covariance,
    negative_log_density,
    scatter,
)
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing, common_stack
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.settings import is_number, take_numbers
from softshare.sharing.weights.regularised import RegularisedWeight, drawn_stack

TASK = "task"

LEAST_EPSILON = 1e-10
"""What double precision still tells from 0 beside a covariance's largest eigenvalue, whatever its
rank.
"""


@dataclass(frozen=True)
class TensorNormal(Sharing):
    """Every task has its own weights, under a prior that learns which tasks' weights go together.

    ``W ~ TN(0, Σ_1, …, Σ_N)``, one covariance for each mode of the stack, the task's last
    (equations 2 and 8); the penalty is minus the log density. Covariances are updated in closed
    form between optimiser steps (equations 5 and 13), each scaled to a fixed trace. The update is
    the best covariance but for its scale: at the first one, or where the
    tasks' mean squared weights add up to 1, the penalty falls; elsewhere it may rise.
    Start these layers from independent initial weights: tasks with equal weights are perfectly
    correlated.

    Args:
        modes: whose covariances are learned, the others' being the identity: ``("task",)`` is the
            deep relationship network (DRN), ``("in", "out", "task")`` the multilinear one (MRN:
            features, classes, tasks). A convolution has ``height`` and ``width`` too. The order
            does not matter.
        epsilon: multiple of a covariance's mean variance that every update adds to its diagonal. It
            bounds how far a covariance can collapse onto one direction: no eigenvalue falls below
                ``epsilon / (1 + epsilon)`` of the mean.
        scale: factor on the penalty; 1 is the paper's objective. A network has more weights than
            examples, so at 1 the prior outweighs the loss: weights shrink, and with them all but
                one eigenvalue of the covariance.
        every: steps between updates of the covariances. A wide feature mode's takes as long as
            several training steps; once an epoch will do.
        warm_up: steps before the first update, while the weights are more their initial values than
            learned ones.
        shared_covariance: whether all layers with this sharing have one task covariance.

    Raises:
        ValueError: a setting is out of range.
    """

    modes: tuple[str, ...] = (TASK,)
    epsilon: float = field(default=0.1, kw_only=True)
    scale: float = field(default=0.1, kw_only=True)
    every: int = field(default=10, kw_only=True)
    warm_up: int = field(default=100, kw_only=True)
    shared_covariance: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        take_numbers(self)
        if not isinstance(self.modes, tuple) or len(set(self.modes)) < len(self.modes):
            raise ValueError(
                'TensorNormal: modes is a tuple of different names, such as ("task",), '
                f"got {self.modes!r}"
            )
        if not (is_number(self.epsilon) and self.epsilon >= LEAST_EPSILON):
            raise ValueError(
                f"TensorNormal: epsilon must be above 0, at least {LEAST_EPSILON}, so that "
                "covariances can be inverted; "
                f"got {self.epsilon!r}"
            )
        if not (is_number(self.scale) and self.scale >= 0):
            raise ValueError(f"TensorNormal: scale must be at least 0, got {self.scale!r}")
        if {type(self.every), type(self.warm_up)} != {int} or self.every < 1 or self.warm_up < 0:
            raise ValueError(
                "TensorNormal: every must be at least 1 and warm_up at least 0 steps, "
                "whole numbers; "
                f"got {self.every!r} and {self.warm_up!r}"
            )
        if self.shared_covariance and TASK not in self.modes:
            raise ValueError(
                'TensorNormal: shared_covariance is of the tasks, and "task" is not among '
                f"the modes {self.modes}"
            )

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        return self._weights(
            {
                name: drawn_stack(
                    name,
                    layer,
                    streams,
                    sharing="TensorNormal",
                )
                for name, layer in layers.items()
            }
        )

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The trained weights as they are; all covariances begin as multiples of the identity."""
        return self._weights(
            {name: common_stack(stack, name, "TensorNormal") for name, stack in stacks.items()}
        )

    def _weights(self, stacks: Mapping[str, Tensor]) -> dict[str, SharedWeight]:
        axes = {}
        for name, stack in stacks.items():
            axes[name] = self._axes(name, stack.ndim)
        shared = None
        if self.shared_covariance:
            first = next(iter(stacks.values()))
            shared = self._task_covariance(first, n_weights=len(stacks))
        weights: dict[str, SharedWeight] = {}
        for name, stack in stacks.items():
            weights[name] = TensorNormalWeight(
                stack,
                covariances=self._covariances(stack, axes[name], shared),
                axes=axes[name],
                settings=self,
            )
        return weights

    def _axes(self, layer: str, n_modes: int) -> dict[str, int]:
        """Learned mode → its axis in a stack, in the paper's order."""
        names = axis_names(n_modes)
        for mode in self.modes:
            if mode not in names:
                raise ValueError(
                    f"layer {layer!r}: TensorNormal has no mode {mode!r} here; the modes "
                    f"are {', '.join(names)}. "
                    "Name the layers that the given modes suit by a pattern"
                )
        # (in, out, task) are the axes 1, 2, 0 of a stack.
        axes = {}
        for number, name in enumerate(names):
            if name in self.modes:
                axes[name] = (number + 1) % n_modes
        return axes

    def _covariances(
        self,
        stack: Tensor,
        axes: Mapping[str, int],
        shared: Covariance | None,
    ) -> dict[str, Covariance]:
        """Learned mode → its covariance, the tasks' last."""
        covariances = {}
        for mode, axis in axes.items():
            if mode == TASK:
                continue
            size = stack.shape[axis]
            covariances[mode] = Covariance(
                size,
                trace=size,
                epsilon=self.epsilon,
                n_weights=1,
                like=stack,
            )
        if TASK in axes:
            covariances[TASK] = shared or self._task_covariance(stack, n_weights=1)
        return covariances

    def _task_covariance(
        self,
        stack: Tensor,
        *,
        n_weights: int,
    ) -> Covariance:
        """Trace 1 as in equation 13: the tasks' covariance holds the scale of the prior, the other
        modes' mean variance is 1.
        """
        return Covariance(
            len(stack),
            trace=1.0,
            epsilon=self.epsilon,
            n_weights=n_weights,
            like=stack,
        )


class TensorNormalWeight(RegularisedWeight):
    """Independent weights and the prior over their stack.

    Args:
        stack: the tasks' initial weights.
        covariances: mode → its covariance, in the paper's order; modes not named have the identity.
        axes: mode → its axis in the stack.
        settings: the sharing.

    Shape:
        stack ``(T, *weight)``.
    """

    updates = True
    takes_variance = True

    step: Tensor

    def __init__(
        self,
        stack: Tensor,
        *,
        covariances: Mapping[str, Covariance],
        axes: Mapping[str, int],
        settings: TensorNormal,
    ) -> None:
        super().__init__(stack)
        self.covariances = nn.ModuleDict(covariances)
        self._axes, self._settings = dict(axes), settings
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def penalty(self, examples: Tensor) -> Tensor:
        """The paper adds minus the log density to the sum over all examples; beside mean losses
        that is a 1 / N̄ of it.
        """
        log_determinants = {
            axis: self._covariance(mode).log_determinant for mode, axis in self._axes.items()
        }
        return self._penalty(self.weight, log_determinants, examples)

    def prior_penalty(self, examples: Tensor, variance: Tensor) -> Tensor:
        """The same prior, its covariances together scaled to a mean variance.

        Of trace 1, the tasks' covariance alone has the mean variance 1/T; where it is not learned,
        all variances are 1.
        """
        mean_variance = 1 / len(self.weight) if TASK in self._axes else 1.0
        size = (mean_variance / variance).sqrt().to(self.weight.dtype)
        return self._penalty(size * self.weight, {}, examples)

    def _penalty(
        self,
        stack: Tensor,
        log_determinants: Mapping[int, Tensor],
        examples: Tensor,
    ) -> Tensor:
        conditions = [self._covariance(mode).condition for mode in self._axes]
        value = negative_log_density(
            stack,
            self._precisions(),
            log_determinants,
            in_double=prod(conditions) > WELL_CONDITIONED,
        )
        return self._settings.scale * value / examples.to(value.dtype).mean()

    @torch.no_grad()
    def after_step(self) -> None:
        """One sweep through the covariances, when due, each from the newest of the others."""
        self.step += 1
        since = int(self.step) - self._settings.warm_up
        if since < 0 or since % self._settings.every:
            return
        stack = self.weight.double()
        for mode, axis in self._axes.items():
            columns = stack.numel() // stack.shape[axis]
            self._covariance(mode).add(scatter(stack, axis, self._precisions()), columns)

    def task_covariance(self) -> Tensor | None:
        """``Σ`` of the tasks, ``(T, T)`` of trace 1; None where it is not learned."""
        return self._covariance(TASK).covariance if TASK in self._axes else None

    def task_correlation(self) -> Tensor | None:
        covariance = self.task_covariance()
        if covariance is None:
            return None
        deviations = covariance.diagonal().sqrt()
        return covariance / deviations.outer(deviations)

    def _covariance(self, mode: str) -> Covariance:
        covariance = self.covariances[mode]
        assert isinstance(covariance, Covariance)
        return covariance

    def _precisions(self) -> dict[int, Tensor]:
        return {axis: self._covariance(mode).precision for mode, axis in self._axes.items()}
