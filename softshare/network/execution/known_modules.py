"""What is known of torch's modules: the one table that all code asks.

How far a module *reaches* decides how it may run for many tasks at once. The example is a batch of
two rows of two channels with four elements each; what one output depends on is shaded::

                   row 0    row 1
    "element"      .#..     ....     channel 0    activations
                   ....     ....     channel 1
    "channel"      ####     ....     channel 0    pooling
                   ....     ....     channel 1
    "row"          ####     ....     channel 0    affine layers, convolutions, softmax
                   ####     ....     channel 1
    "batch"        ####     ####     channel 0    batch norm
                   ####     ####     channel 1
    "whole"        only the module's own forward knows which dimension the rows lie in, or it
                   reads the weights of modules inside: recurrent layers, attention

Up to "row" the batches of several tasks may lie one after the other. Whatever is not in the table,
and has nothing that a task learns, is taken to reach no further than its rows, but maybe to draw
random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from softshare.sharing.elementwise import ELEMENTWISE

Reach = Literal["element", "channel", "row", "batch", "whole"]

WeightKind = Literal["affine", "convolution", "transposed convolution"]


@dataclass(frozen=True)
class Facts:
    """What is known of a kind of module.

    Args:
        reach: what an output depends on; None where it is not known.
        is_random: whether equal rows may come out different.
        keeps_padding: whether it makes the same of a task's features whatever zeros stand after
            them; whatever does not reach beyond a channel does.
        n_window: how many of the inputs' last dimensions its window moves over.
        has_fast_evaluation: whether it has kernels of its own for evaluation mode, which have no
            gradient and which ``torch.vmap`` cannot map.
        weight: what its parameter ``weight`` is, where that has axes of inputs and outputs.
    """

    reach: Reach | None = None
    is_random: bool = False
    keeps_padding: bool = False
    n_window: int | None = None
    has_fast_evaluation: bool = False
    weight: WeightKind | None = None

    @property
    def is_elementwise(self) -> bool:
        """Whether nothing depends on how rows and features are arranged."""
        return self.reach == "element" and not self.is_random

    @property
    def is_by_channel_of_images(self) -> bool:
        """Whether it does not matter how rows and channels ``(B, C, H, W)`` are arranged."""
        return self.reach == "element" or (self.reach == "channel" and self.n_window == 2)

    @property
    def is_by_row(self) -> bool:
        """Whether every row is treated by itself."""
        return self.reach in ("element", "channel", "row")

    @property
    def is_same_for_equal_rows(self) -> bool:
        """Whether rows that all tasks see may stay one copy."""
        return self.is_by_row and not self.is_random

    @property
    def passes_padding(self) -> bool:
        """Whether narrower tasks' features may be filled up with zeros before it."""
        return self.keeps_padding or self.reach in ("element", "channel")


UNKNOWN = Facts()

ELEMENT = Facts("element")
ROW = Facts("row")
BATCH = Facts("batch")
WHOLE = Facts("whole")
ATTENTION = Facts("whole", has_fast_evaluation=True)

AFFINE = Facts("row", keeps_padding=True, weight="affine")
CONVOLUTION = Facts("row", keeps_padding=True, weight="convolution")
TRANSPOSED = Facts("row", weight="transposed convolution")

DROPOUT = Facts("element", is_random=True)
FEATURE_DROPOUT_1D = Facts("channel", is_random=True, n_window=1)
FEATURE_DROPOUT_2D = Facts("channel", is_random=True, n_window=2)
FEATURE_DROPOUT_3D = Facts("channel", is_random=True, n_window=3)

POOLING_1D = Facts("channel", n_window=1)
POOLING_2D = Facts("channel", n_window=2)
POOLING_3D = Facts("channel", n_window=3)

KNOWN: dict[type[nn.Module], Facts] = {
    **dict.fromkeys(ELEMENTWISE, ELEMENT),
    # activations that draw random numbers, have parameters, or see a row's other features
    nn.RReLU: Facts("element", is_random=True),
    nn.PReLU: ROW,
    nn.GLU: ROW,
    nn.Softmax: ROW,
    nn.Softmax2d: ROW,
    nn.Softmin: ROW,
    nn.LogSoftmax: ROW,
    # dropout
    nn.Dropout: DROPOUT,
    nn.AlphaDropout: DROPOUT,
    nn.Dropout1d: FEATURE_DROPOUT_1D,
    nn.Dropout2d: FEATURE_DROPOUT_2D,
    nn.Dropout3d: FEATURE_DROPOUT_3D,
    # pooling
    nn.MaxPool1d: POOLING_1D,
    nn.MaxPool2d: POOLING_2D,
    nn.MaxPool3d: POOLING_3D,
    nn.AvgPool1d: POOLING_1D,
    nn.AvgPool2d: POOLING_2D,
    nn.AvgPool3d: POOLING_3D,
    nn.LPPool1d: POOLING_1D,
    nn.LPPool2d: POOLING_2D,
    nn.LPPool3d: POOLING_3D,
    nn.AdaptiveAvgPool1d: POOLING_1D,
    nn.AdaptiveAvgPool2d: POOLING_2D,
    nn.AdaptiveAvgPool3d: POOLING_3D,
    nn.AdaptiveMaxPool1d: POOLING_1D,
    nn.AdaptiveMaxPool2d: POOLING_2D,
    nn.AdaptiveMaxPool3d: POOLING_3D,
    # around images
    nn.ZeroPad1d: ROW,
    nn.ZeroPad2d: ROW,
    nn.ZeroPad3d: ROW,
    nn.ConstantPad1d: ROW,
    nn.ConstantPad2d: ROW,
    nn.ConstantPad3d: ROW,
    nn.ReflectionPad1d: ROW,
    nn.ReflectionPad2d: ROW,
    nn.ReflectionPad3d: ROW,
    nn.ReplicationPad1d: ROW,
    nn.ReplicationPad2d: ROW,
    nn.ReplicationPad3d: ROW,
    # shapes
    nn.Flatten: Facts("row", keeps_padding=True),
    nn.Unflatten: ROW,
    nn.PixelShuffle: ROW,
    nn.PixelUnshuffle: ROW,
    nn.Upsample: ROW,
    # layers
    nn.Linear: AFFINE,
    nn.Conv1d: CONVOLUTION,
    nn.Conv2d: CONVOLUTION,
    nn.Conv3d: CONVOLUTION,
    nn.ConvTranspose1d: TRANSPOSED,
    nn.ConvTranspose2d: TRANSPOSED,
    nn.ConvTranspose3d: TRANSPOSED,
    nn.Embedding: ROW,
    nn.Bilinear: ROW,
    # norms
    nn.LayerNorm: ROW,
    nn.GroupNorm: ROW,
    nn.RMSNorm: ROW,
    nn.LocalResponseNorm: ROW,
    _BatchNorm: BATCH,
    # recurrent layers, attention, lists of parameters
    nn.RNNBase: WHOLE,
    nn.RNNCellBase: WHOLE,
    nn.MultiheadAttention: ATTENTION,
    nn.TransformerEncoderLayer: ATTENTION,
    nn.TransformerEncoder: WHOLE,
    nn.TransformerDecoder: WHOLE,
    nn.TransformerDecoderLayer: WHOLE,
    nn.Transformer: WHOLE,
    nn.ParameterList: WHOLE,
    nn.ParameterDict: WHOLE,
}
"""A kind of module → what is known of it and of subclasses that keep its forward."""


def facts_of(module: nn.Module) -> Facts:
    """What is known of a module.

    Of a subclass with a forward of its own only two facts hold: which axes its weight has, and
    that it runs whole where the kind it comes from does.
    """
    kind = next((kind for kind in type(module).__mro__ if kind in KNOWN), None)
    if kind is None:
        return UNKNOWN
    facts = KNOWN[kind]
    if type(module).forward is not kind.forward:
        return facts if facts.reach == "whole" else Facts(weight=facts.weight)
    if facts.is_by_row and _mixes_rows(module):
        return Facts("batch", weight=facts.weight)
    return facts


def _mixes_rows(module: nn.Module) -> bool:
    """Whether an option makes a module look beyond its row."""
    # Softmax(dim=0), or dim=None, which is 0 for inputs of some numbers of dimensions.
    if getattr(module, "dim", -1) in (0, None):
        return True
    if getattr(module, "start_dim", -1) == 0:
        return True
    # An embedding that counts its indices counts those of all rows.
    return bool(getattr(module, "scale_grad_by_freq", False))


def paper_axes(module: nn.Module, name: str, n_axes: int) -> tuple[int, ...]:
    """A parameter's axes in the papers' mode order, as numbers of torch's axes.

    Args:
        module: whose parameter it is.
        name: the parameter's name in the module.
        n_axes: how many axes it has.
    """
    kind = facts_of(module).weight if name == "weight" else None
    window = range(2, n_axes)
    if kind in ("affine", "convolution"):  # (out, in, *window) → (*window, in, out)
        return (*window, 1, 0)
    if kind == "transposed convolution":  # (in, out, *window) → (*window, in, out)
        return (*window, 0, 1)
    return tuple(range(n_axes))


def can_map(module: nn.Module) -> bool:
    """Whether ``torch.vmap`` takes a module, makes it no slower, and keeps its gradients: an
    embedding's options it drops.
    """
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        drops = module.padding_idx is not None or module.max_norm is not None
        return not drops and not module.scale_grad_by_freq
    # vmap makes a grouped convolution of many, which is slower than one after the other.
    return facts_of(module).weight not in ("convolution", "transposed convolution")
