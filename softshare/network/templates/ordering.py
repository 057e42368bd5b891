"""Networks whose layers all tasks apply in an order of their own: an encoder, shared core layers, a
decoder.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from math import log2, prod

import torch
from torch import Tensor, nn

from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.layer_scales import Gate
from softshare.sharing.soft_ordering import SoftOrdering


def ordering_mlp(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    width: int = 64,
    depth: int = 4,
    dropout: float = 0.0,
    gate: Gate = "softmax",
) -> nn.Module:
    """An affine encoder with ReLU, a core of affine layers, and an affine decoder: ``encoder``,
    ``core`` and ``output``.

    Which layers the tasks share and who has which order is told by ``sharing=``; see
    docs/sharings/soft-ordering.md.

    Args:
        input_shape: the shape of one input; it is flattened.
        n_outputs: width of the output.
        width: of the core.
        depth: how many layers the core has, and how often they are applied.
        dropout: probability after each application.
        gate: ``"softmax"`` or ``"sigmoid"`` scales.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    n_in = prod(input_shape)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flatten"] = nn.Flatten()
    layers["encoder"] = glorot_initialised(nn.Linear(n_in, width))
    layers["encoder_relu"] = nn.ReLU()
    core = []
    for _ in range(depth):
        layer = nn.Linear(width, width)
        core.append(glorot_initialised(layer))
    layers["core"] = SoftOrdering(core, dropout=dropout, gate=gate)
    layers["output"] = nn.Linear(width, n_outputs)
    return nn.Sequential(layers)


def ordering_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    channels: int = 53,
    depth: int = 4,
    dropout: float = 0.0,
    gate: Gate = "softmax",
) -> nn.Module:
    """A core of 3×3 convolutions with 2×2 max-pooling, and an affine decoder: ``core`` and
    ``output``.

    There is no encoder: the image's channels are filled up with zeros to those of the core, as for
    Omniglot in
    Meyerson and Miikkulainen (2018, A.3).

    Args:
        input_shape: ``(C, H, W)`` with C at most ``channels``, and H and W at least ``2**depth``.
        n_outputs: width of the output.
        channels: of the core.
        depth: how many layers the core has, and how often they are applied; each time halves the
            image.
        dropout: probability after each application.
        gate: ``"softmax"`` or ``"sigmoid"`` scales.

    Raises:
        ValueError: the input is no image, too small, or has too many channels.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    least = 2**depth  # pixels a side, of which the last depth leaves one
    if len(input_shape) != 3 or input_shape[0] > channels or min(input_shape[1:]) < least:
        raise ValueError(
            f"ordering_cnn: input_shape must be (at most {channels} channels, height, "
            f"width) of at least {least} × {least} "
            f"pixels, which {depth} layers halve {depth} times; got {tuple(input_shape)}"
        )
    _, height, width = input_shape
    core = []
    for _ in range(depth):
        layer = ZeroFilledConv2d(channels, channels, 3, padding=1)
        core.append(glorot_initialised(layer))
    # Max-pooling and ReLU commute: pooling first saves three quarters of the activations.
    activation = nn.Sequential(nn.MaxPool2d(2), nn.ReLU())
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["core"] = SoftOrdering(core, activation=activation, dropout=dropout, gate=gate)
    layers["flatten"] = nn.Flatten()
    n_pixels = (height // least) * (width // least)
    layers["output"] = nn.Linear(channels * n_pixels, n_outputs)
    return nn.Sequential(layers)


class ZeroFilledConv2d(nn.Conv2d):
    """A convolution that takes inputs of fewer channels as if zeros filled the others, and never
    multiplies by those.

    It runs with the channels last, which is twice as fast on CPUs here.

    Shape:
        ``(B, C, H, W)`` with C at most ``in_channels`` → ``(B, out_channels, H', W')``.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        n_channels = x.shape[1]
        weight = weight[:, :n_channels]  # (out, in, h, w): the others would meet zeros
        weight = weight.contiguous(memory_format=torch.channels_last)
        images = x.contiguous(memory_format=torch.channels_last)
        return super()._conv_forward(images, weight, bias)


def glorot_initialised(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """Glorot's initialisation: with PyTorch's own the signal shrinks from depth to depth, and
    averaging layers shrinks it more.
    """
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def ordering_template_for(
    input_shape: Sequence[int], *, width: int = 64, depth: int = 4, dropout: float = 0.0
) -> TemplateFactory:
    """The default network of this form: convolutional for images, of as many layers as halve them,
    else affine.
    """
    sides = input_shape[1:]
    if len(sides) == 2 and min(sides) >= 8:
        halvings = int(log2(min(sides)))
        return partial(
            ordering_cnn,
            channels=max(width, input_shape[0]),
            depth=min(depth, halvings),
            dropout=dropout,
        )
    return partial(ordering_mlp, width=width, depth=depth, dropout=dropout)
