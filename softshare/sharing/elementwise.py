"""Activations of one element, whatever stands beside it."""

from __future__ import annotations

from torch import nn

ELEMENTWISE: tuple[type[nn.Module], ...] = (
    nn.Identity,
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Tanh,
    nn.Sigmoid,
    nn.LogSigmoid,
    nn.Softplus,
    nn.Softsign,
    nn.Softshrink,
    nn.Hardshrink,
    nn.Tanhshrink,
    nn.Hardtanh,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Threshold,
)
"""Those of torch without parameters that draw no random numbers (``nn.RReLU`` does)."""


def is_elementwise(module: nn.Module) -> bool:
    """Whether a module is one of these, or a subclass that keeps the forward of one."""
    return any(
        isinstance(module, kind) and type(module).forward is kind.forward for kind in ELEMENTWISE
    )
