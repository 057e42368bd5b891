"""Convolutions in all tasks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.sharing.algebra.contraction import cheapest_order, shapes_of

Values = tuple[Tensor, Tensor | None]
"""Weight and bias."""


class TaskConv(TaskLayer):
    """A convolution in all tasks: one convolution where the weight or the input is the same for
    all, else one a task.

    Args:
        conv: the template's layer, for its stride, padding and dilation.
        parameters: see :data:`~softshare.network.execution.batch_layout.Sources`.
        layout: how the running batch lies.
    """

    def __init__(self, conv: Any, parameters: Sources, layout: BatchLayout) -> None:
        super().__init__(parameters, layout)
        self._conv = (conv,)  # in a tuple: its own weights are not this network's parameters

    def forward(self, x: Tensor) -> Tensor:
        """``(k·B, in, *)`` (or ``(B, in, *)`` while all tasks see the same rows) → ``(k·B, out,
        *)``.
        """
        layout = self._layout
        x = layout.join(x)
        if self.is_shared:
            y = self.convolve(x, self.shared_values())
            self.note("one convolution: the weight is the same for all tasks", y)
            return y
        if layout.one_copy and self._conv[0].groups == 1:
            layout.one_copy = False
            y = self.convolve(x, self.wide_values())
            self.note(
                "one convolution with the channels of all tasks: the input is the same for all", y
            )
            return rows_of_tasks(y, layout.n_tasks)
        rows = layout.unfold(layout.expand(x)).unbind(0)
        y = torch.cat(
            [
                self.convolve(own, values)
                for own, values in zip(rows, self.values_by_task(), strict=True)
            ]
        )
        self.note("a convolution a task", y)
        return y

    @property
    def is_plain(self) -> bool:
        """Whether the layer is a two-dimensional convolution with zeros around the image and
        nothing of its own making.
        """
        conv = self._conv[0]
        return (
            isinstance(conv, nn.Conv2d)
            and type(conv)._conv_forward is nn.Conv2d._conv_forward
            and conv.padding_mode == "zeros"
        )

    def convolve(self, x: Tensor, values: Values) -> Tensor:
        """The layer's own convolution with these values."""
        weight, bias = values
        if weight.shape[0] == 1:
            # (1, in, *window), stored as (*window, in, 1), passes for a weight with its channels
            # last, whose gradient torch's convolution of float64 and bfloat16 does not make.
            weight = weight.contiguous()
        y: Tensor = self._conv[0]._conv_forward(x, weight, bias)
        return y

    def convolve_grouped(self, x: Tensor) -> Tensor:
        """All tasks at once, their channels side by side: ``(B, k·in, H, W)`` → ``(B, k·out, H,
        W)``.
        """
        conv = self._conv[0]
        weight, bias = self.wide_values()
        groups = self._layout.n_tasks * conv.groups
        return nn.functional.conv2d(
            x, weight, bias, conv.stride, conv.padding, conv.dilation, groups
        )

    def shared_values(self) -> Values:
        """The values that all tasks have."""
        return self._one("weight"), self._one("bias") if self._has_bias else None

    def wide_values(self) -> Values:
        """The tasks' output channels side by side: ``(k·out, in, *)`` and ``(k·out,)``."""
        return self._stack("weight").flatten(0, 1), self._stack(
            "bias"
        ).flatten() if self._has_bias else None

    def values_by_task(self) -> list[Values]:
        """Each task's values.

        Unbound once: indexing task by task would back-propagate through a full-size zero tensor
        each.
        """
        weights = self._stack("weight").unbind(0)
        biases = self._stack("bias").unbind(0) if self._has_bias else [None] * len(weights)
        return list(zip(weights, biases, strict=True))

    def note(self, way: str, y: Tensor, times: float = 1) -> None:
        """Write down, when asked to, that the layer has made ``y``, or so many times as much in
        several turns.
        """
        if self._layout.decisions is None:
            return
        network = self._sources["weight"][1].contraction(self._layout.tasks)
        composing = (
            cheapest_order(network[0], shapes_of(network[1])).multiply_adds
            if network is not None and len(network[1]) > 1
            else 0
        )
        multiply_adds = round(times * y.numel()) * self._conv[0].weight[0].numel()
        self._note(
            f"weights composed for all tasks, {way}" if composing else way,
            composing + multiply_adds,
        )


def rows_of_tasks(y: Tensor, n_tasks: int) -> Tensor:
    """The tasks' channels side by side → their rows one after the other: ``(B, k·C, *)`` → ``(k·B,
    C, *)``.
    """
    return y.unflatten(1, (n_tasks, -1)).transpose(0, 1).flatten(0, 1)
