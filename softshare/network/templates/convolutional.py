"""Convolutional networks of the papers, beside LeNet and the Omniglot network of ``standard.py``.

Yang and Hospedales (2017), *Deep Multi-task Representation Learning: A Tensor Factorisation
Approach*, use both: their LeNet for MNIST, and for Adience the network of Levi and Hassner (2015),
*Age and Gender Classification using Convolutional Neural Networks*.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

LENET_CONVOLUTIONS = (
    (32, 5),
    (64, 4),
)
"""Output channels and window sizes."""

LEVI_HASSNER_CONVOLUTIONS = (
    (96, 7, 4, 0),
    (256, 5, 1, 2),
    (384, 3, 1, 1),
)
"""Output channels, window sizes, strides and paddings."""


def dmtrl_lenet(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    hidden: int = 128,
) -> nn.Module:
    """The LeNet of Yang and Hospedales (2017), with He's initial weights.

    Convolutions of 32 channels at 5×5 and 64 at 4×4 whose outputs have the inputs' size, each
    max-pooled 2×2, and an affine layer: ``conv0``, ``conv1``, ``hidden`` and ``output``. Ten of
    them on MNIST have the 4,351,040 weights of the paper's table.

    Args:
        input_shape: ``(C, H, W)``, at least 4 × 4.
        n_outputs: width of the output.
        hidden: width of the hidden affine layer: 128 as the paper counts its weights, and 512 in
            its large network of common layers, which its text describes.

    Raises:
        ValueError: the input is no image, or too small.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    check_images("dmtrl_lenet", input_shape, least=4)
    n_in = input_shape[0]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_out, window) in enumerate(LENET_CONVOLUTIONS):
        # A window of 4 leaves one row and one column more than there were; of an even number of
        # them, pooling then drops these, so that no copy has to be padded on two sides only.
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, window, padding=window // 2)
        # Max-pooling and ReLU commute: pooling first saves three quarters of the activations.
        layers[f"pool{number}"] = nn.MaxPool2d(2)
        layers[f"relu{number}"] = nn.ReLU()
        n_in = n_out
    layers["flatten"] = nn.Flatten()
    layers["hidden"] = nn.Linear(n_features(layers, input_shape), hidden)
    layers["hidden_relu"] = nn.ReLU()
    layers["output"] = nn.Linear(hidden, n_outputs)
    return he_initialised(nn.Sequential(layers))


def levi_hassner_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    hidden: int = 512,
    dropout: float = 0.5,
) -> nn.Module:
    """The six-layer network of Levi and Hassner (2015) for faces, with He's initial weights.

    Convolutions of 96 channels at 7×7 with stride 4, 256 at 5×5 and 384 at 3×3, each max-pooled
    3×3 with stride 2, the first two then normalised over five channels, and two affine layers of
    512 with dropout: ``conv0``, ``conv1``, ``conv2``, ``hidden0``, ``hidden1`` and ``output``. The
    authors draw Gaussian weights of standard deviations .01 and .005 instead.

    Args:
        input_shape: ``(C, H, W)``, at least 35 × 35; the authors' crops have 227 × 227 pixels.
        n_outputs: width of the output.
        hidden: width of the hidden affine layers.
        dropout: probability after each of them.

    Raises:
        ValueError: the input is no image, or too small.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    check_images("levi_hassner_cnn", input_shape, least=35)
    n_in = input_shape[0]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_out, window, stride, padding) in enumerate(LEVI_HASSNER_CONVOLUTIONS):
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, window, stride, padding)
        # Caffe, in which the authors trained, rounds the pooled sides up.
        layers[f"pool{number}"] = nn.MaxPool2d(3, 2, ceil_mode=True)
        layers[f"relu{number}"] = nn.ReLU()
        if number < 2:
            layers[f"norm{number}"] = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)
        n_in = n_out
    layers["flatten"] = nn.Flatten()
    n_in = n_features(layers, input_shape)
    for number in range(2):
        layers[f"hidden{number}"] = nn.Linear(n_in, hidden)
        layers[f"hidden{number}_relu"] = nn.ReLU()
        layers[f"hidden{number}_dropout"] = nn.Dropout(dropout)
        n_in = hidden
    layers["output"] = nn.Linear(hidden, n_outputs)
    return he_initialised(nn.Sequential(layers))


def check_images(template: str, input_shape: Sequence[int], *, least: int) -> None:
    """Make sure that inputs are images of so many pixels a side.

    Raises:
        ValueError: they are not; names the template.
    """
    sides = input_shape[1:]
    if len(sides) != 2 or min(sides) < least:
        raise ValueError(
            f"{template}: input_shape must be (channels, height, width) of at least {least} × "
            f"{least} pixels, got {tuple(input_shape)}"
        )


@torch.no_grad()
def n_features(layers: OrderedDict[str, nn.Module], input_shape: Sequence[int]) -> int:
    """How many numbers a chain makes of one input; it ends with a flat row."""
    chain = nn.Sequential(layers)
    row = chain(torch.zeros(1, *input_shape))
    return int(row.shape[1])


def he_initialised(network: nn.Module) -> nn.Module:
    """The same network with He's initial weights before every ReLU, Glorot's gain of 1 in the
    output, and biases of zero.

    These keep the signal's size through layers of ReLU; PyTorch's own shrink it by about √6 a
    layer.
    """
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for number, layer in enumerate(layers):
        is_output = number == len(layers) - 1
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if is_output else "relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network
