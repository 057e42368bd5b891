"""Chains of layers, convolutions among them, in all tasks.

What is known to be a plain chain may run in other portions and in another memory format than the
whole batch has: on a processor, channels last and no more rows at a time than its cache holds,
which makes convolutions and pooling about twice as fast as layer by layer over all tasks' rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout
from softshare.network.execution.known_modules import facts_of
from softshare.network.execution.rows import JoinedRows, OwnRows
from softshare.network.execution.task_conv import TaskConv, rows_of_tasks

IN_CACHE = 8 << 20
"""Bytes of a convolution's output that a processor's cache holds; a step over more rows at a time
is up to a third slower.
"""


class TaskSequential(nn.Sequential):
    """``nn.Sequential`` in all tasks.

    Args:
        layers: the layers in all tasks, by the names that the template's have.
        layout: how the running batch lies.
    """

    def __init__(self, layers: Mapping[str, nn.Module], layout: BatchLayout) -> None:
        super().__init__(OrderedDict(layers))
        self._layout = layout
        self._parts = _parts(list(layers.values()))

    def forward(self, x: Tensor) -> Tensor:
        """Layer by layer, stretches of convolutions and what belongs to them portion by portion."""
        layers = list(self)
        for begin, end in self._parts:
            first = layers[begin]
            x = self._layout.join(x) if isinstance(first, TaskConv) else x
            if not isinstance(first, TaskConv) or not first.is_plain or x.ndim != 4:
                for layer in layers[begin:end]:
                    x = layer(x)
            elif first.is_shared:
                x = self._shared(layers[begin:end], x)
            else:
                x = (
                    self._task_by_task(layers[begin:end], x)
                    if x.device.type == "cpu"
                    else self._grouped(layers[begin:end], x)
                )
        return x

    def _shared(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Convolutions that all tasks share, some rows at a time."""
        if any(isinstance(layer, OwnRows) for layer in layers):
            x = self._layout.expand(x)
        values = [
            layer.shared_values() if isinstance(layer, TaskConv) else None for layer in layers
        ]
        per_row = (
            x.shape[2:].numel()
            * x.element_size()
            * max(len(value[0]) for value in values if value is not None)
        )
        size = max(1, IN_CACHE // per_row) if x.device.type == "cpu" else len(x)
        portions = channels_last(x).split(size)
        way = f"channels last, one weight for all tasks, in {len(portions)} portion(s)"
        outputs = [
            self._chain(layers, values, rows, way, len(x) / len(rows) if place == 0 else 0)
            for place, rows in enumerate(portions)
        ]
        return (outputs[0] if len(outputs) == 1 else torch.cat(outputs)).contiguous()

    def _task_by_task(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Convolutions of the tasks' own, the whole stretch for one task after the other."""
        layout = self._layout
        rows = [x] * layout.n_tasks if layout.one_copy else layout.unfold(x).unbind(0)
        layout.one_copy = False
        by_layer = [
            layer.values_by_task() if isinstance(layer, TaskConv) else [None] * layout.n_tasks
            for layer in layers
        ]
        outputs = []
        for task, (own, values) in enumerate(zip(rows, zip(*by_layer, strict=True), strict=True)):
            outputs.append(
                self._chain(
                    layers,
                    values,
                    channels_last(own),
                    "channels last, a convolution a task",
                    0 if task else layout.n_tasks,
                )
            )
        return torch.cat(outputs).contiguous()

    def _grouped(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Convolutions of the tasks' own in one grouped convolution a layer: the fewest kernels,
        where each costs a launch.
        """
        layout = self._layout
        one_copy, layout.one_copy = layout.one_copy, False
        x = x if one_copy else layout.unfold(x).transpose(0, 1).flatten(1, 2)
        for place, layer in enumerate(layers):
            if not isinstance(layer, TaskConv):
                x = layer(x)
                continue
            x = x.contiguous(memory_format=torch.channels_last)
            x = (
                layer.convolve(x, layer.wide_values())
                if one_copy and place == 0
                else layer.convolve_grouped(x)
            )
            layer.note("one convolution with the channels of all tasks", x)
        return rows_of_tasks(x, layout.n_tasks).contiguous()

    def _chain(
        self, layers: Sequence[nn.Module], values: Sequence[Any], x: Tensor, way: str, times: float
    ) -> Tensor:
        """A stretch on some rows; with the first portion it is noted how all run that are ``times``
        as many.
        """
        for layer, value in zip(layers, values, strict=True):
            if isinstance(layer, TaskConv):
                x = layer.convolve(x, value)
                if times:
                    layer.note(way, x, times)
            else:
                x = layer(x)
        return x


def channels_last(x: Tensor) -> Tensor:
    """Images in channels-last memory format; said by the strides where there is one channel and
    both formats are one.
    """
    if x.shape[1] > 1:
        return x.contiguous(memory_format=torch.channels_last)
    return x.reshape(x.shape[0], *x.shape[2:], 1).permute(0, 3, 1, 2)


def _parts(layers: Sequence[nn.Module]) -> list[tuple[int, int]]:
    """Begin and end of stretches: plain convolutions, all shared or all the tasks' own, with what
    works by channel between them.
    """
    parts: list[tuple[int, int]] = []
    begin = 0
    for place, layer in enumerate(layers):
        if not _belongs(layer, layers[begin]) and place > begin:
            parts.append((begin, place))
            begin = place
    return [*parts, (begin, len(layers))]


def _belongs(layer: nn.Module, first: nn.Module) -> bool:
    """Whether a layer continues the stretch that begins with another; what is no convolution
    continues what is none.
    """
    convolves = isinstance(layer, TaskConv) and layer.is_plain
    if not (isinstance(first, TaskConv) and first.is_plain):
        return not convolves
    if isinstance(layer, TaskConv):
        return convolves and layer.is_shared == first.is_shared
    own = layer.module if isinstance(layer, JoinedRows) else layer
    return facts_of(own).is_by_channel_of_images
