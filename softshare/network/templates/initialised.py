"""Templates whose weights start otherwise than PyTorch draws them."""

from __future__ import annotations

import torch
from torch import nn

from softshare.network.templates.standard import TemplateFactory
from softshare.tasks.random_keys import key_of


def he_initialised(
    input_shape: tuple[int, ...],
    n_outputs: int,
    *,
    template: TemplateFactory,
    alike: bool = False,
) -> nn.Module:
    """A network whose affine and convolutional weights are drawn as He et al. (2015) draw them.

    Their variance is ``2 / fan_in``, six times that of PyTorch's own, which keeps a signal's size
    through ReLUs. Biases start at 0.

    Args:
        input_shape: the shape of one input.
        n_outputs: width of the output.
        template: makes the network.
        alike: whether a layer's draw depends on its name and shape only, not on the layers before
            it: networks for inputs of several shapes then start from common weights above.

    Shape:
        as the template's.
    """
    # Before the template draws, which takes more numbers for larger layers.
    start = int(torch.randint(2**62, ())) if alike else None
    network = template(input_shape, n_outputs)
    for path, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            generator = None
            if start is not None:
                generator = torch.Generator().manual_seed(key_of(start, path))
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
