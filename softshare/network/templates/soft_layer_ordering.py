"""The networks of Meyerson and Miikkulainen (2018), *Beyond Shared Hierarchies: Deep Multitask
Learning through Soft Layer Ordering*, by experiment.

Which of a network's layers the tasks share, and who has which order, is told by ``sharing=`` (see
docs/sharings/soft-ordering.md); an encoder that stays as it was drawn by ``ss.freeze(network,
"encoder")``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from math import prod
from typing import Literal

from torch import Tensor, nn

from softshare.network.templates.ordering import glorot_initialised, ordering_cnn, ordering_mlp
from softshare.sharing.layer_scales import Gate
from softshare.sharing.soft_ordering import SoftOrdering

BRIGHTNESS_WIDTH = 100
BRIGHTNESS_DEPTH = 4


def random_labels_network(
    input_shape: Sequence[int],
    n_outputs: int,
    *,
    depth: int = 2,
    activation: Literal["linear", "relu"] = "linear",
) -> nn.Module:
    """For random labels (Figure 2): a core of affine layers as wide as the input, without an
    encoder: ``core`` and ``output``.

    Args:
        input_shape: the shape of one input; it is flattened. The paper's have 128 numbers for
            ``"linear"`` and 16 for ``"relu"``.
        n_outputs: width of the output.
        depth: how many layers the core has, and how often they are applied.
        activation: between them.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    width = prod(input_shape)
    between = nn.ReLU() if activation == "relu" else nn.Identity()
    core = _affine_core(width, depth)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flatten"] = nn.Flatten()
    layers["core"] = SoftOrdering(core, activation=between)
    layers["output"] = nn.Linear(width, n_outputs)
    return nn.Sequential(layers)


def digit_pairs_network(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """For pairs of MNIST's digits (Figure 4): an encoder from 784 to 64 with ReLU, each task's own
    and never trained, and a core of four affine layers: ``encoder``, ``core`` and ``output``.

    ``sharing={"encoder": ss.Independent(), "*": ss.Tied()}`` makes an encoder for each task,
    ``ss.freeze(network, "encoder")`` leaves it as it was drawn.

    Args:
        input_shape: the shape of one input; it is flattened.
        n_outputs: width of the output.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    return ordering_mlp(input_shape, n_outputs, width=64, depth=4, dropout=0.5)


def uci_network(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """For ten unlike UCI data sets (Figure 5): an encoder to 32, each task's own, and a core of
    four affine layers: ``encoder``, ``core`` and ``output``.

    Args:
        input_shape: the shape of one input; it is flattened.
        n_outputs: width of the output.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    return ordering_mlp(input_shape, n_outputs, width=32, depth=4, dropout=0.8)


def omniglot_network(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """For Omniglot's alphabets (Figure 6): four convolutions of 53 channels at 3×3, each max-pooled
    2×2, of images that zeros fill up to 53 channels: ``core`` and ``output``.

    Args:
        input_shape: ``(C, H, W)``, at least 16 × 16.
        n_outputs: width of the output.

    Raises:
        ValueError: the input is no image, too small, or has too many channels.

    Shape:
        ``(B, C, H, W)`` → ``(B, n_outputs)``.
    """
    return ordering_cnn(input_shape, n_outputs, channels=53, depth=4, dropout=0.5)


def attributes_network(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """For CelebA's attributes (Section 4.4), on the features of an encoder trained elsewhere: an
    affine layer to 256 and a core of four such layers: ``encoder``, ``core`` and ``output``.

    Args:
        input_shape: the shape of one input, such as the 2048 features of a ResNet-50.
        n_outputs: width of the output.

    Shape:
        ``(B, *input_shape)`` → ``(B, n_outputs)``.
    """
    return ordering_mlp(input_shape, n_outputs, width=256, depth=4, dropout=0.5)


def brightness_network(
    input_shape: Sequence[int],
    n_outputs: int = 1,
    *,
    gate: Gate = "sigmoid",
) -> nn.Module:
    """For images as functions of the place (Section 5): a linear encoder to 100, a core of four
    layers, and the mean of its features as the brightness: ``encoder`` and ``core``.

    With ``sharing=ss.Tied(bias="tied")`` nothing but the scales is a task's own.

    Args:
        input_shape: the shape of one input, the two coordinates.
        n_outputs: width of the output, 1.
        gate: ``"sigmoid"`` scales are free of each other, so that one alone can be swept.

    Raises:
        ValueError: another width of the output is asked for.

    Shape:
        ``(B, *input_shape)`` → ``(B, 1)``.
    """
    if n_outputs != 1:
        raise ValueError(
            f"brightness_network: n_outputs must be 1, the mean of all features; got {n_outputs}"
        )
    core = _affine_core(BRIGHTNESS_WIDTH, BRIGHTNESS_DEPTH)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flatten"] = nn.Flatten()
    layers["encoder"] = glorot_initialised(nn.Linear(prod(input_shape), BRIGHTNESS_WIDTH))
    layers["core"] = SoftOrdering(core, gate=gate)
    layers["mean"] = MeanOfFeatures()
    return nn.Sequential(layers)


class MeanOfFeatures(nn.Module):
    """The mean over a row's features.

    Shape:
        ``(B, D)`` → ``(B, 1)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x.mean(-1, keepdim=True)


def _affine_core(width: int, depth: int) -> list[nn.Module]:
    return [glorot_initialised(nn.Linear(width, width)) for _ in range(depth)]
