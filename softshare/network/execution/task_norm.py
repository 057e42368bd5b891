"""Norms in all tasks at once; every task's statistics are its own.

Batch norm takes its means over the rows, channel by channel, so that tasks are more channels::

    (k, B, C, *)  →  (B, k·C, *)  →  batch norm of k·C channels  →  (k, B, C, *)

Layer and group norm take theirs within a row; only scale and shift are the tasks' own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Values = Mapping[str, Tensor]
"""Names in the module → the tasks' parameters or buffers, ``(k, …)``."""


def batch_norm(module: Any, x: Tensor, parameters: Values, buffers: Values) -> Tensor:
    """``nn.BatchNorm*d``: the tasks' channels side by side.

    ``(k, B, C, *)`` → ``(k, B, C, *)``; buffers are updated in place.
    """
    if module.training and buffers:
        buffers["num_batches_tracked"].add_(1)
    mean, variance = (
        buffers[name].flatten() if buffers else None for name in ("running_mean", "running_var")
    )
    weight, bias = (
        parameters[name].flatten() if parameters else None for name in ("weight", "bias")
    )
    y = functional.batch_norm(
        x.transpose(0, 1).flatten(1, 2),
        mean,
        variance,
        weight,
        bias,
        training=module.training or not buffers,
        momentum=module.momentum,
        eps=module.eps,
    )
    return y.unflatten(1, (len(x), -1)).transpose(0, 1)


def layer_norm(module: Any, x: Tensor, parameters: Values, buffers: Values) -> Tensor:
    """``nn.LayerNorm``: ``(k, B, *)`` → ``(k, B, *)``."""
    y = functional.layer_norm(x, module.normalized_shape, eps=module.eps)
    return _affine(y, parameters, y.ndim - 1 - len(module.normalized_shape))


def group_norm(module: Any, x: Tensor, parameters: Values, buffers: Values) -> Tensor:
    """``nn.GroupNorm``: ``(k, B, C, *)`` → ``(k, B, C, *)``."""
    y = functional.group_norm(x.flatten(0, 1), module.num_groups, eps=module.eps).view_as(x)
    return _affine(
        y,
        {
            name: value.reshape(*value.shape, *[1] * (x.ndim - 3))
            for name, value in parameters.items()
        },
        1,
    )


def _affine(y: Tensor, parameters: Values, n_between: int) -> Tensor:
    """Scale and shift by each task's own; so many axes of ``y`` lie between the task and the
    parameters' axes.
    """
    if not parameters:
        return y
    weight, *bias = (
        value.reshape(len(value), *[1] * n_between, *value.shape[1:])
        for value in parameters.values()
    )
    return torch.addcmul(bias[0], y, weight) if bias else y * weight


AT_ONCE: Mapping[type[nn.Module], Callable[[Any, Tensor, Values, Values], Tensor]] = {
    nn.BatchNorm1d: batch_norm,
    nn.BatchNorm2d: batch_norm,
    nn.BatchNorm3d: batch_norm,
    nn.LayerNorm: layer_norm,
    nn.GroupNorm: group_norm,
}
"""Modules that can run in all tasks at once; exactly these types, as a subclass may do something
else.
"""
