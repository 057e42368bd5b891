"""Templates whose weights start otherwise than PyTorch draws them."""

from __future__ import annotations

from torch import nn

from softshare.network.templates.standard import TemplateFactory


def he_initialised(
    input_shape: tuple[int, ...], n_outputs: int, *, template: TemplateFactory
) -> nn.Module:
    """A network whose affine and convolutional weights are drawn as He et al. (2015) draw them.

    Their variance is ``2 / fan_in``, six times that of PyTorch's own, which keeps a signal's size
    through ReLUs. Biases start at 0.

    Args:
        input_shape: the shape of one input.
        n_outputs: width of the output.
        template: makes the network.

    Shape:
        as the template's.
    """
    network = template(input_shape, n_outputs)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
