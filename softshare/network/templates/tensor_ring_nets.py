"""The networks of *Tensor Ring Nets Adapted Deep Multi-Task Learning* (ICLR 2019 submission), and
their weights' modes.

Modes are what :class:`softshare.TensorRing` takes: layer → input and output modes, or one such pair
for every shape that the layer has in some task.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from math import prod

from torch import nn

from softshare.network.templates.blocks import InBlocks, check_blocks
from softshare.network.templates.convolutional import check_images, he_initialised, n_features
from softshare.network.templates.standard import mlp
from softshare.sharing.algebra.modes import Modes

LayerModes = Mapping[str, Modes | Sequence[Modes]]
"""Layer → its modes."""

# --- MNIST's odd and even digits (Table 7) -----------------------------------------------------

DIGITS_WIDTHS = (1296, 1296, 256)
"""Of the hidden layers, all of them rings."""

DIGITS_MODES: LayerModes = {
    "layers.0": ((7, 7, 4, 4), (6, 6, 6, 6)),
    "layers.1": ((6, 6, 6, 6), (6, 6, 6, 6)),
    "layers.2": ((6, 6, 6, 6), (4, 4, 4, 4)),
}

# --- CIFAR-10 with inputs that differ (Tables 9 and 10, whose captions are exchanged) ------------

UNEQUAL_WIDTHS = (6144, 12288, 24576, 243)
"""Of the hidden layers, all of them rings."""

_UPPER_LAYERS: LayerModes = {
    "layers.1": ((8, 8, 6, 4, 4), (8, 8, 6, 4, 8)),
    "layers.2": ((8, 8, 6, 8, 4), (8, 8, 6, 8, 8)),
    "layers.3": ((8, 8, 6, 8, 8), (3, 3, 3, 3, 3)),
}

COLOUR_AND_GREY_MODES: LayerModes = {
    "layers.0": [
        ((4, 4, 4, 4, 4, 3), (4, 4, 4, 4, 4, 6)),  # 32 × 32 in three channels
        ((4, 4, 4, 4, 4, 1), (4, 4, 4, 4, 4, 6)),  # and in one
    ],
    **_UPPER_LAYERS,
}

UNEQUAL_SIZES_MODES: LayerModes = {
    "layers.0": [
        ((4, 4, 4, 4, 3, 2), (4, 4, 4, 4, 3, 8)),  # 16 × 32, in three channels
        ((4, 4, 4, 4, 3, 1), (4, 4, 4, 4, 3, 8)),  # 16 × 16
        ((4, 4, 4, 4, 3, 4), (4, 4, 4, 4, 3, 8)),  # 32 × 32
    ],
    **_UPPER_LAYERS,
}

# --- Omniglot with MNIST (Table 11) --------------------------------------------------------------

OMNIGLOT_MNIST_WIDTHS = {
    105 * 105: (11025, 11025, 64),
    28 * 28: (1225, 1225, 16),
}
"""Pixels of an image → widths of the hidden layers, all of them rings."""

OMNIGLOT_MNIST_MODES: LayerModes = {
    "layers.0": [
        ((7, 7, 5, 5, 3, 3), (7, 7, 5, 5, 3, 3)),
        ((7, 7, 4, 4), (7, 7, 5, 5)),
    ],
    # The table has 7, 7, 4, 4 as MNIST's input modes here too, which are not the layer's 1225.
    "layers.1": [
        ((7, 7, 5, 5, 3, 3), (7, 7, 5, 5, 3, 3)),
        ((7, 7, 5, 5), (7, 7, 5, 5)),
    ],
    "layers.2": [
        ((7, 7, 5, 5, 3, 3), (2, 2, 2, 2, 2, 2)),
        ((7, 7, 5, 5), (2, 2, 2, 2)),
    ],
}

# --- convolutional networks (Section 6.1 and Table 8) --------------------------------------------

CIFAR10_CHANNELS = (64, 128, 256, 512)
CIFAR10_WIDTHS = (1024, 512)
CIFAR10_RINGS = ("conv2", "conv3", "hidden0", "hidden1")
"""The layers that are rings, of four cores each, the window's among them; the paper does not tell
their modes.
"""

OMNIGLOT_CHANNELS = (8, 16, 32)
OMNIGLOT_WIDTHS = (256,)
OMNIGLOT_MODES: LayerModes = {
    "conv1": ((2, 2, 2), (4, 2, 2)),
    "conv2": ((2, 2, 2, 2), (4, 2, 2, 2)),
    "hidden0": ((18, 16, 9, 9), (4, 4, 4, 4)),
}
"""Its keys are the layers that are rings. The window has one core more, the first."""


def digits_mlp(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """The perceptron 784-1296-1296-256-10 for MNIST: ``layers.0`` to ``layers.2`` and ``output``.

    With :data:`DIGITS_MODES`, rank 4 and pattern ``"420"`` two tasks have 13,760 weights where
    independent ones have 6,060,032.

    Args:
        input_shape: the shape of one input; it is flattened.
        n_outputs: width of the output.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    return mlp(input_shape, n_outputs, hidden=DIGITS_WIDTHS)


def unequal_inputs_mlp(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    blocks: int,
    hidden: Sequence[int] = UNEQUAL_WIDTHS,
) -> nn.Module:
    """The perceptron with four hidden layers for CIFAR-10's images in colour or grey, or of several
    sizes: ``layers.0`` to ``layers.3`` and ``output``.

    For :data:`COLOUR_AND_GREY_MODES`, in 32 blocks, or :data:`UNEQUAL_SIZES_MODES`, in 16: the
    image is flattened block by block, so that the cores that tasks can share see the same part of
    the image in all of them. The paper does not tell its order. Dense, the network has 402 million
    weights a task.

    Args:
        input_shape: ``(C, H, W)``.
        n_outputs: width of the output.
        blocks: on a side of the image.
        hidden: widths of the hidden layers.

    Raises:
        ValueError: the input is no image, or its sides have no so many equal blocks.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    check_blocks("unequal_inputs_mlp", input_shape, blocks)
    layers = OrderedDict(mlp(input_shape, n_outputs, hidden=hidden).named_children())
    layers["flatten"] = InBlocks(blocks)
    return nn.Sequential(layers)


def omniglot_mnist_mlp(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """The perceptron with three hidden layers for Omniglot's or MNIST's images: ``layers.0`` to
    ``layers.2`` and ``output``.

    For :data:`OMNIGLOT_MNIST_MODES`; the tasks differ in every layer's width.

    Args:
        input_shape: of 105 × 105 or of 28 × 28 pixels; it is flattened.
        n_outputs: width of the output.

    Raises:
        ValueError: the input has another number of pixels.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    n_pixels = prod(input_shape)
    widths = OMNIGLOT_MNIST_WIDTHS.get(n_pixels)
    if widths is None:
        raise ValueError(
            "omniglot_mnist_mlp: input_shape must have 105 × 105 or 28 × 28 pixels, got "
            f"{tuple(input_shape)}"
        )
    return mlp(input_shape, n_outputs, hidden=widths)


def cifar10_cnn(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """The network for CIFAR-10's three tasks: ``conv0`` to ``conv3``, ``hidden0``, ``hidden1`` and
    ``output``.

    Convolutions of 64, 128, 256 and 512 channels at 3×3 and affine layers of 1024 and 512. Of
    32 × 32 pixels the paper's 8192 features are left by three poolings; it does not say where these
    are: here after the first three convolutions, where they save most.

    Args:
        input_shape: ``(C, H, W)``, at least 8 × 8.
        n_outputs: width of the output.

    Raises:
        ValueError: the input is no image, or too small.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    check_images("cifar10_cnn", input_shape, least=8)
    return _cnn(input_shape, n_outputs, CIFAR10_CHANNELS, CIFAR10_WIDTHS)


def omniglot_cnn(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """The network for Omniglot's five tasks: ``conv0`` to ``conv2``, ``hidden0`` and ``output``.

    Convolutions of 8, 16 and 32 channels at 3×3 and an affine layer of 256. Of 105 × 105 pixels the
    paper's 23,328 features are left by two poolings that round up, after the first two
    convolutions.

    Args:
        input_shape: ``(C, H, W)``, at least 4 × 4.
        n_outputs: width of the output.

    Raises:
        ValueError: the input is no image, or too small.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    check_images("omniglot_cnn", input_shape, least=4)
    return _cnn(input_shape, n_outputs, OMNIGLOT_CHANNELS, OMNIGLOT_WIDTHS)


def _cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    channels: Sequence[int],
    widths: Sequence[int],
) -> nn.Module:
    """Convolutions at 3×3, all but the last max-pooled 2×2, affine layers, and ReLU between."""
    n_in = input_shape[0]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, n_out in enumerate(channels):
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, 3, padding=1)
        if number < len(channels) - 1:
            layers[f"pool{number}"] = nn.MaxPool2d(2, ceil_mode=True)
        layers[f"relu{number}"] = nn.ReLU()
        n_in = n_out
    layers["flatten"] = nn.Flatten()
    n_in = n_features(layers, input_shape)
    for number, width in enumerate(widths):
        layers[f"hidden{number}"] = nn.Linear(n_in, width)
        layers[f"hidden{number}_relu"] = nn.ReLU()
        n_in = width
    layers["output"] = nn.Linear(n_in, n_outputs)
    return he_initialised(nn.Sequential(layers))
