"""The layers that deep relationship networks put on features: Long, Wang and Yu, *Learning Multiple
Tasks with Deep Relationship Networks*.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from math import prod

from torch import nn


def bottleneck(input_shape: Sequence[int], n_outputs: int, *, width: int = 256) -> nn.Module:
    """An affine layer with ReLU that narrows features, and the classifier: ``bottleneck`` and
    ``output``, the paper's fc7' and fc8.

    On an encoder to be trained with them stands ``ss.with_encoder(model, hidden=(256,))`` instead.

    Args:
        input_shape: the shape of one row of features; it is flattened.
        n_outputs: width of the output.
        width: of the bottleneck.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flatten"] = nn.Flatten()
    layers["bottleneck"] = nn.Linear(prod(input_shape), width)
    layers["bottleneck_relu"] = nn.ReLU()
    layers["output"] = nn.Linear(width, n_outputs)
    return nn.Sequential(layers)
