"""What is known of torch's modules: the one table that all code asks.

How far a module *reaches* decides how it may run for many tasks at once. The example is a batch of
two rows of two channels; what the output ``*`` depends on is shaded::

                      row 0          row 1
                    channel 0, 1   channel 0, 1
    "element"         [.*..]         [....]       # one element:  activations
                      [....]         [....]
    "channel"         [####]         [....]       # one channel of one row:  pooling
                      [....]         [....]
    "row"             [####]         [....]       # one row:  affine layers, softmax over features
                      [####]         [....]
    "batch"           [####]         [####]       # all of a task's rows:  batch norm
                      [####]         [####]
    "whole"           only the module's own forward knows which dimension the rows lie in, or it
                      reads the weights of modules inside:  recurrent layers, attention

Up to "row" the batches of several tasks may lie one after the other. Whatever is not in the table,
and has nothing that a task learns, is taken to reach no further than its rows, but maybe to draw
random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        n_window: dimensions of the window, where the inputs' last dimensions are one's.
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

ELEMENT, ROW, BATCH, WHOLE = Facts("element"), Facts("row"), Facts("batch"), Facts("whole")

AFFINE = Facts("row", keeps_padding=True, weight="affine")

CONVOLUTION = Facts("row", keeps_padding=True, weight="convolution")

TRANSPOSED = Facts("row", weight="transposed convolution")

CHANNEL = Facts("channel")

ATTENTION = Facts("whole", has_fast_evaluation=True)


def _all(kinds: Iterable[type[nn.Module]], facts: Facts) -> dict[type[nn.Module], Facts]:
    return dict.fromkeys(kinds, facts)


def _windows(
    kinds: tuple[type[nn.Module], type[nn.Module], type[nn.Module]], facts: Facts
) -> dict[type[nn.Module], Facts]:
    """The kinds of one to three dimensions."""
    return {kind: replace(facts, n_window=n) for n, kind in enumerate(kinds, start=1)}


KNOWN: dict[type[nn.Module], Facts] = {
    # activations
    **_all(ELEMENTWISE, ELEMENT),
    nn.RReLU: Facts("element", is_random=True),
    **_all((nn.Softmax, nn.Softmin, nn.LogSoftmax, nn.Softmax2d, nn.GLU, nn.PReLU), ROW),
    # dropout
    **_all((nn.Dropout, nn.AlphaDropout), Facts("element", is_random=True)),
    **_windows((nn.Dropout1d, nn.Dropout2d, nn.Dropout3d), Facts("channel", is_random=True)),
    # pooling
    **_windows((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), CHANNEL),
    **_windows((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), CHANNEL),
    **_windows((nn.LPPool1d, nn.LPPool2d, nn.LPPool3d), CHANNEL),
    **_windows((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), CHANNEL),
    **_windows((nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d), CHANNEL),
    # around images
    **_all((nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d), ROW),
    **_all((nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d), ROW),
    **_all((nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d), ROW),
    **_all((nn.ReplicationPad1d, nn.ReplicationPad2d, nn.ReplicationPad3d), ROW),
    # shapes
    nn.Flatten: Facts("row", keeps_padding=True),
    **_all((nn.Unflatten, nn.PixelShuffle, nn.PixelUnshuffle, nn.Upsample), ROW),
    # layers
    nn.Linear: AFFINE,
    **_all((nn.Conv1d, nn.Conv2d, nn.Conv3d), CONVOLUTION),
    **_all((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), TRANSPOSED),
    **_all((nn.Embedding, nn.Bilinear), ROW),
    # norms
    **_all((nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.LocalResponseNorm), ROW),
    _BatchNorm: BATCH,
    # recurrent layers, attention, lists of parameters
    **_all((nn.RNNBase, nn.RNNCellBase), WHOLE),
    **_all((nn.MultiheadAttention, nn.TransformerEncoderLayer), ATTENTION),
    **_all((nn.Transformer, nn.TransformerEncoder), WHOLE),
    **_all((nn.TransformerDecoder, nn.TransformerDecoderLayer), WHOLE),
    **_all((nn.ParameterList, nn.ParameterDict), WHOLE),
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
