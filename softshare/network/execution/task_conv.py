"""Convolutions in all tasks.

One convolution for k tasks, where the input or the weight allows it::

    the weight is the same            the input is the same              nothing is the same

    (k·B, in, H, W)                   (B, in, H, W)                      a convolution a task, or
      * (out, in, h, w)                 * (k·out, in, h, w)              (B, k·in, H, W), grouped
    = (k·B, out, H', W')              = (B, k·out, H', W')                 * (k·out, in, h, w)
                                      → (k·B, out, H', W')               = (B, k·out, H', W')
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.network.execution.observed import Observed
from softshare.sharing.algebra.contraction import cheapest_order, shapes_of
from softshare.sharing.weights.sum_weight import SumWeight

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
        x = self._layout.join(x)
        if self.is_shared:
            values = self.shared_values()
            y = self.convolve(x, values)
            self.note("one convolution: the weight is the same for all tasks", y)
            return y
        conv = self._conv[0]
        if self._layout.observed is not None:
            return self._observed(x)
        if self._layout.one_copy and conv.groups == 1:
            return self._on_one_copy(x)
        return self._task_by_task(x)

    def _observed(self, x: Tensor) -> Tensor:
        """As ever, and weights that are sums hand out what was multiplied with what."""
        layout = self._layout
        x = layout.expand(x)
        y = self._task_by_task(x)
        conv = self._conv[0]
        is_regular = self.is_plain and conv.groups == 1 and not isinstance(conv.padding, str)
        if layout.observed is None or not is_regular:
            return y

        def by_place(values: Tensor) -> Tensor:
            """``(k·B, out, H, W)`` → ``(k, B, P, out)``."""
            places = values.flatten(2)  # (k·B, out, P)
            rows = places.transpose(1, 2)
            return layout.unfold(rows)

        for name in self._sources:
            _, weight = self._sources[name]
            if not isinstance(weight, SumWeight):
                continue
            own = weight.scaled(
                weight.own.padded(layout.tasks)
            ).detach()  # (k, h, w, in, out), or (k, out)
            ones = torch.ones_like(y[:, :1])
            windows = by_place(ones)
            if name == "weight":
                # Of a window torch lists the channels first, (in, h, w).
                own = own.permute(0, 3, 1, 2, 4)
                unfolded = nn.functional.unfold(
                    x.detach(),
                    conv.kernel_size,
                    conv.dilation,
                    conv.padding,
                    conv.stride,
                )
                windows = by_place(unfolded)
            own = own.reshape(len(own), -1, own.shape[-1])
            part = Observed(weight, windows, own, y, by_place)
            layout.observed.append(part)
        return y

    def _on_one_copy(self, x: Tensor) -> Tensor:
        """``(B, in, *)`` → ``(k·B, out, *)``."""
        self._layout.one_copy = False
        values = self.wide_values()
        y = self.convolve(x, values)
        self.note(
            "one convolution with the channels of all tasks: the input is the same for all",
            y,
        )
        return rows_of_tasks(y, self._layout.n_tasks)

    def _task_by_task(self, x: Tensor) -> Tensor:
        """``(k·B, in, *)`` → ``(k·B, out, *)``."""
        layout = self._layout
        x = layout.expand(x)
        rows = layout.unfold(x).unbind(0)
        values = self.values_by_task()
        outputs = []
        for own, of_task in zip(rows, values, strict=True):
            y = self.convolve(own, of_task)
            outputs.append(y)
        joined = torch.cat(outputs)
        self.note("a convolution a task", joined)
        return joined

    @property
    def is_plain(self) -> bool:
        """Whether the layer is a two-dimensional convolution with zeros around the image and
        nothing of its own making.
        """
        conv = self._conv[0]
        if not isinstance(conv, nn.Conv2d) or conv.padding_mode != "zeros":
            return False
        return type(conv)._conv_forward is nn.Conv2d._conv_forward

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
            x,
            weight,
            bias,
            conv.stride,
            conv.padding,
            conv.dilation,
            groups,
        )

    def shared_values(self) -> Values:
        """The values that all tasks have."""
        bias = self._one("bias") if self._has_bias else None
        return self._one("weight"), bias

    def wide_values(self) -> Values:
        """The tasks' output channels side by side: ``(k·out, in, *)`` and ``(k·out,)``."""
        weight = self._stack("weight").flatten(0, 1)
        if not self._has_bias:
            return weight, None
        bias = self._stack("bias").flatten()
        return weight, bias

    def values_by_task(self) -> list[Values]:
        """Each task's values.

        Unbound once: indexing task by task would back-propagate through a full-size zero tensor
        each.
        """
        weights = self._stack("weight").unbind(0)
        if not self._has_bias:
            return [(weight, None) for weight in weights]
        biases = self._stack("bias").unbind(0)
        return list(zip(weights, biases, strict=True))

    def note(self, way: str, y: Tensor, times: float = 1) -> None:
        """Write down, when asked to, that the layer has made ``y``, or so many times as much in
        several turns.
        """
        if self._layout.decisions is None:
            return
        # Each element of the output takes in · h · w of them.
        conv = self._conv[0]
        for_an_element = conv.weight[0].numel()
        n_elements = round(times * y.numel())
        multiply_adds = n_elements * for_an_element
        _, weight = self._sources["weight"]
        network = weight.contraction(self._layout.tasks)
        if network is not None and len(network[1]) > 1:
            equation, factors = network
            composing = cheapest_order(equation, shapes_of(factors))
            multiply_adds += composing.multiply_adds
            way = f"weights composed for all tasks, {way}"
        self._note(way, multiply_adds)


def rows_of_tasks(y: Tensor, n_tasks: int) -> Tensor:
    """The tasks' channels side by side → their rows one after the other: ``(B, k·C, *)`` → ``(k·B,
    C, *)``.
    """
    by_task = y.unflatten(1, (n_tasks, -1)).transpose(0, 1)  # (k, B, C, *)
    return by_task.flatten(0, 1)
