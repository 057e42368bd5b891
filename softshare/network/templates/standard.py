"""Networks to start from: functions of an input's shape and a number of outputs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from math import prod

from torch import nn

from softshare.tasks.input_kinds import InputKind, input_kind

TemplateFactory = Callable[[tuple[int, ...], int], nn.Module]
"""Makes one task's network from the shape of its inputs and its number of outputs."""


OMNIGLOT_CONVOLUTIONS = (
    (8, 5),
    (12, 3),
    (16, 3),
)
"""Output channels and window sizes."""


def mlp(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    hidden: Sequence[int] = (64, 64),
    dropout: float = 0.0,
) -> nn.Module:
    """A multilayer perceptron with ReLU: layers ``layers.0``, ``layers.1``, … and ``output``.

    Args:
        input_shape: the shape of one input; it is flattened.
        n_outputs: width of the output.
        hidden: widths of the hidden layers; none makes a linear model.
        dropout: probability after each hidden layer.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    widths = [prod(input_shape), *hidden]
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_in, n_out) in enumerate(pairwise(widths)):
        blocks[f"{number}"] = nn.Linear(n_in, n_out)
        blocks[f"{number}_relu"] = nn.ReLU()
        if dropout:
            blocks[f"{number}_dropout"] = nn.Dropout(dropout)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flatten"] = nn.Flatten()
    if hidden:
        layers["layers"] = nn.Sequential(blocks)
    layers["output"] = nn.Linear(widths[-1], n_outputs)
    return nn.Sequential(layers)


def lenet(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    channels: Sequence[int] = (32, 64),
    windows: Sequence[int] = (5, 3),
    hidden: int = 128,
) -> nn.Module:
    """A small convolutional network: convolutions with 'same' padding, each max-pooled 2×2, then
    two affine layers.

    Args:
        input_shape: ``(C, H, W)``.
        n_outputs: width of the output.
        channels: output channels of the convolutions.
        windows: their window sizes.
        hidden: width of the hidden affine layer.

    Raises:
        ValueError: the input is no image, or too small to be pooled that often.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"lenet: input_shape must be (channels, height, width), got {tuple(input_shape)}"
        )
    n_in, height, width = input_shape
    if min(height, width) < 2 ** len(channels):
        raise ValueError(
            f"lenet: {height}×{width} images cannot be halved {len(channels)} times; give "
            "fewer channels"
        )
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_out, window) in enumerate(zip(channels, windows, strict=True)):
        if window % 2 == 0:
            # One more zero behind than before, as PyTorch's "same" has it, which warns of a copy.
            before, behind = (window - 1) // 2, window // 2
            layers[f"pad{number}"] = nn.ZeroPad2d((before, behind, before, behind))
        padding = "same" if window % 2 else 0
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, window, padding=padding)
        # Max-pooling and ReLU commute: pooling first saves three quarters of the activations.
        layers[f"pool{number}"] = nn.MaxPool2d(2)
        layers[f"relu{number}"] = nn.ReLU()
        n_in = n_out
        height //= 2
        width //= 2
    layers["flatten"] = nn.Flatten()
    layers["hidden"] = nn.Linear(n_in * height * width, hidden)
    layers["hidden_relu"] = nn.ReLU()
    layers["output"] = nn.Linear(hidden, n_outputs)
    return nn.Sequential(layers)


def omniglot_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    hidden: int = 64,
) -> nn.Module:
    """The network for Omniglot's 105 × 105 images in Yang and Hospedales (2017, both papers).

    Convolutions without padding of 8 channels at 5×5, 12 at 3×3 and 16 at 3×3, each max-pooled 2×2,
    and an affine layer of 64, with tanh. Layers ``conv0``, ``conv1``, ``conv2``, ``hidden`` and
    ``output``.

    Args:
        input_shape: ``(C, H, W)``, at least 24 × 24.
        n_outputs: width of the output.
        hidden: width of the affine layer, the papers' 64.

    Raises:
        ValueError: the input is no image, or too small.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    sides = input_shape[1:]
    if len(sides) != 2 or min(sides) < 24:
        raise ValueError(
            "omniglot_cnn: input_shape must be (channels, height, width) of at least 24 × "
            f"24 pixels, got {tuple(input_shape)}"
        )
    n_in, height, width = input_shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_out, window) in enumerate(OMNIGLOT_CONVOLUTIONS):
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, window)
        layers[f"pool{number}"] = nn.MaxPool2d(2)
        layers[f"tanh{number}"] = nn.Tanh()
        n_in = n_out
        # Each side loses window - 1 pixels to the convolution, and half of the rest to pooling.
        height = (height - window + 1) // 2
        width = (width - window + 1) // 2
    layers["flatten"] = nn.Flatten()
    layers["hidden"] = nn.Linear(n_in * height * width, hidden)
    layers["hidden_tanh"] = nn.Tanh()
    layers["output"] = nn.Linear(hidden, n_outputs)
    return nn.Sequential(layers)


def template_for(
    input_shape: Sequence[int],
    *,
    hidden: Sequence[int] = (64, 64),
    dropout: float = 0.0,
) -> TemplateFactory:
    """The default network for inputs of this shape: LeNet for images, the Omniglot network for
    large ones, an MLP for everything else.
    """
    last_width = hidden[-1] if hidden else 128
    factories: Mapping[InputKind, TemplateFactory] = {
        "vector": partial(mlp, hidden=tuple(hidden), dropout=dropout),
        "image": partial(lenet, hidden=last_width),
        "large image": partial(omniglot_cnn, hidden=last_width),
    }
    return factories[input_kind(input_shape)]
