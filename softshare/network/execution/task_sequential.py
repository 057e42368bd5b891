"""Chains of layers, convolutions among them, in all tasks.

A chain is cut into stretches that may be carried out together, here ``[…]``; ``o`` is a convolution
of the tasks' own, ``s`` one that all share, ``.`` a module by channel, ``x`` any other::

    s  .  s  .  o  .  x  o         [s . s .] [o .] [x] [o]

    [s . s .]   some rows at a time, of all tasks      [o .]   all rows of a task, task by task

What is known to be a plain chain may run in other portions and in another memory format than the
whole batch has: on a processor, channels last and no more rows at a time than its cache holds,
which makes convolutions and pooling about twice as fast as layer by layer over all tasks' rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout
from softshare.network.execution.known_modules import facts_of
from softshare.network.execution.noise import Portion
from softshare.network.execution.rows import JoinedRows, OwnRows
from softshare.network.execution.task_conv import TaskConv, Values, rows_of_tasks
from softshare.network.execution.task_dropout import TaskDropout

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
            x = self._stretch(layers[begin:end], x)
        return x

    def _stretch(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Some layers, which are a stretch of convolutions where the first is one."""
        first = layers[0]
        if isinstance(first, TaskConv):
            x = self._layout.join(x)
        is_observed = self._layout.observed is not None
        if not _is_plain(first) or x.ndim != 4 or is_observed:
            for layer in layers:
                x = layer(x)
            return x
        if first.is_shared:
            return self._shared(layers, x)
        # On a GPU every kernel costs a launch, so that the fewest are the fastest.
        if x.device.type == "cpu":
            return self._task_by_task(layers, x)
        return self._grouped(layers, x)

    def _shared(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Convolutions that all tasks share, some rows at a time."""
        layout = self._layout
        if any(_needs_own_rows(layer) for layer in layers):
            x = layout.expand(x)
        values: list[Values | None] = []
        widest = 1
        for layer in layers:
            if not isinstance(layer, TaskConv):
                values.append(None)
                continue
            weight, bias = layer.shared_values()
            values.append((weight, bias))
            widest = max(widest, len(weight))
        _, _, height, width = x.shape
        bytes_a_row = height * width * widest * x.element_size()
        size = len(x)
        if x.device.type == "cpu":
            size = max(1, IN_CACHE // bytes_a_row)
        portions = self._portions(len(x), size)
        sizes = [n_rows for _, n_rows in portions]
        rows = channels_last(x).split(sizes)
        way = f"channels last, one weight for all tasks, in {len(portions)} portion(s)"
        outputs = []
        # The plan is told of all portions with the first.
        times = len(x) / sizes[0]
        with layout.noise.one_by_one([portion for portion, _ in portions]) as turns:
            for portion, own in zip(turns, rows, strict=True):
                y = _chain(layers, values, own, portion.n_tasks, way, times)
                outputs.append(y)
                times = 0
        if len(outputs) == 1:
            return y.contiguous()
        return torch.cat(outputs).contiguous()

    def _portions(self, n_rows: int, size: int) -> list[tuple[Portion, int]]:
        """Portions of up to ``size`` rows, and their numbers of rows: whole tasks, or a part of a
        task.
        """
        n_tasks = 1 if self._layout.one_copy else self._layout.n_tasks
        of_task = n_rows // n_tasks
        portions: list[tuple[Portion, int]] = []
        if size >= of_task:
            at_once = size // of_task
            for first in range(0, n_tasks, at_once):
                count = min(at_once, n_tasks - first)
                portion = Portion(first, count)
                portions.append((portion, count * of_task))
            return portions
        for task in range(n_tasks):
            for row in range(0, of_task, size):
                count = min(size, of_task - row)
                portion = Portion(task, 1, row)
                portions.append((portion, count))
        return portions

    def _task_by_task(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Convolutions of the tasks' own, the whole stretch for one task after the other."""
        layout = self._layout
        n_tasks = layout.n_tasks
        rows = (x,) * n_tasks
        if not layout.one_copy:
            rows = layout.unfold(x).unbind(0)
        layout.one_copy = False
        nothing = [None] * n_tasks
        by_layer: list[Sequence[Values | None]] = []
        for layer in layers:
            own = layer.values_by_task() if isinstance(layer, TaskConv) else nothing
            by_layer.append(own)
        way = "channels last, a convolution a task"
        times = n_tasks  # the plan is told of all tasks with the first
        outputs = []
        portions = [Portion(task, 1) for task in range(n_tasks)]
        with layout.noise.one_by_one(portions) as turns:
            for _, x, *values in zip(turns, rows, *by_layer, strict=True):
                images = channels_last(x)
                y = _chain(layers, values, images, 1, way, times)
                outputs.append(y)
                times = 0
        return torch.cat(outputs).contiguous()

    def _grouped(self, layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        """Convolutions of the tasks' own in one grouped convolution a layer: the fewest kernels,
        where each costs a launch.

        ``(k·B, C, H, W)`` becomes ``(B, k·C, H, W)`` meanwhile.
        """
        layout = self._layout
        is_one_copy = layout.one_copy
        layout.one_copy = False
        if not is_one_copy:
            by_task = layout.unfold(x)  # (k, B, C, H, W)
            x = by_task.transpose(0, 1).flatten(1, 2)
        for layer in layers:
            if isinstance(layer, TaskDropout):
                apart = x.unflatten(1, (layout.n_tasks, -1))  # (B, k, C, H, W)
                by_task = apart.transpose(0, 1)  # (k, B, C, H, W)
                dropped = layer.drop(by_task)
                x = dropped.transpose(0, 1).flatten(1, 2)
                continue
            if not isinstance(layer, TaskConv):
                x = layer(x)
                continue
            x = x.contiguous(memory_format=torch.channels_last)
            if is_one_copy:  # (B, C, H, W): these channels are all tasks'
                values = layer.wide_values()
                x = layer.convolve(x, values)
                is_one_copy = False
            else:
                x = layer.convolve_grouped(x)
            layer.note("one convolution with the channels of all tasks", x)
        rows = rows_of_tasks(x, layout.n_tasks)
        return rows.contiguous()


def _chain(
    layers: Sequence[nn.Module],
    values: Sequence[Values | None],
    x: Tensor,
    n_tasks: int,
    way: str,
    times: float,
) -> Tensor:
    """A stretch on some rows of so many tasks; with the first portion it is noted how all run that
    are ``times`` as many.
    """
    for layer, own in zip(layers, values, strict=True):
        if isinstance(layer, TaskConv) and own is not None:
            x = layer.convolve(x, own)
            if times:
                layer.note(way, x, times)
        elif isinstance(layer, TaskDropout):
            by_task = x.unflatten(0, (n_tasks, -1))  # (k, B, C, H, W)
            x = layer.drop(by_task).flatten(0, 1)
        else:
            x = layer(x)
    return x


def _needs_own_rows(layer: nn.Module) -> bool:
    """Whether a layer may make different things of equal rows."""
    if isinstance(layer, TaskDropout):
        return layer.is_active
    return isinstance(layer, OwnRows)


def _is_plain(layer: nn.Module) -> TypeGuard[TaskConv]:
    """Whether a layer is a plain convolution."""
    return isinstance(layer, TaskConv) and layer.is_plain


def channels_last(x: Tensor) -> Tensor:
    """Images in channels-last memory format; said by the strides where there is one channel and
    both formats are one.
    """
    if x.shape[1] > 1:
        return x.contiguous(memory_format=torch.channels_last)
    n_rows, _, height, width = x.shape
    return x.reshape(n_rows, height, width, 1).permute(0, 3, 1, 2)


def _parts(layers: Sequence[nn.Module]) -> list[tuple[int, int]]:
    """Begin and end of stretches: plain convolutions, all shared or all the tasks' own, with what
    works by channel between them.
    """
    parts: list[tuple[int, int]] = []
    begin = 0
    for place, layer in enumerate(layers):
        first = layers[begin]
        if place > begin and not _belongs(layer, first):
            parts.append((begin, place))
            begin = place
    last = (begin, len(layers))
    return [*parts, last]


def _belongs(layer: nn.Module, first: nn.Module) -> bool:
    """Whether a layer continues the stretch that begins with another; what is no convolution
    continues what is none.
    """
    if not _is_plain(first):
        return not _is_plain(layer)
    if isinstance(layer, TaskConv):
        return layer.is_plain and layer.is_shared == first.is_shared
    if isinstance(layer, TaskDropout):
        return True
    own = layer.module if isinstance(layer, JoinedRows) else layer
    return facts_of(own).is_by_channel_of_images
