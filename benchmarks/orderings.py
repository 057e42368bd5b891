"""Soft ordering against the loops that its equation suggests: over tasks, depths and layers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.steps import Forward, Setting, Training
from softshare.network.templates.ordering import ordering_cnn
from softshare.sharing.soft_ordering import SoftOrdering
from softshare.sharing.tied import Tied

N_TASKS, DEPTH = 10, 4


def cases() -> list[Case]:
    """A dense core and a convolutional one."""
    return [
        Case(
            "soft ordering",
            "dense core and decoders, width 64, D = 4, T = 10, B = 16",
            "loops over tasks, depths and layers",
            _dense,
            5.0,
        ),
        Case(
            "soft ordering",
            "convolutions, 53 channels, D = 4, 28 × 28, T = 10, B = 16",
            "loops over tasks, depths and layers",
            _convolutional,
            2.0,
        ),
    ]


def _dense(device: torch.device) -> tuple[Training, Training]:
    return _beside(
        Setting(
            core_and_decoder, (64,), n_tasks=N_TASKS, batch_size=16, n_outputs=10, device=device
        ),
        dense_loops,
    )


def core_and_decoder(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """A dense core on inputs of its own width."""
    core = SoftOrdering([nn.Linear(64, 64) for _ in range(DEPTH)])
    return nn.Sequential(OrderedDict(core=core, output=nn.Linear(64, n_outputs)))


def _convolutional(device: torch.device) -> tuple[Training, Training]:
    template = partial(ordering_cnn, channels=53, depth=DEPTH)
    return _beside(
        Setting(template, (1, 28, 28), n_tasks=N_TASKS, batch_size=16, n_outputs=10, device=device),
        convolutional_loops,
    )


def _beside(setting: Setting, loops: Callable[[Setting], Training]) -> tuple[Training, Training]:
    return setting.ours(Tied()), loops(setting)


def dense_loops(setting: Setting) -> Training:
    """The loops for a core of affine layers."""
    return _loops(setting, lambda layer, x: functional.relu(layer(x)))


def convolutional_loops(setting: Setting) -> Training:
    """The loops for a core of plain convolutions, for whose width the image's channels are filled
    up with zeros.
    """

    def apply(layer: nn.Conv2d, x: Tensor) -> Tensor:
        return functional.max_pool2d(
            functional.relu(functional.conv2d(x, layer.weight, layer.bias, padding=1)), 2
        )

    return _loops(
        setting,
        apply,
        encode=lambda layer, x: functional.pad(x, (0, 0, 0, 0, 0, layer.in_channels - x.shape[1])),
    )


def _loops(
    setting: Setting,
    apply: Callable[[Any, Tensor], Tensor],
    *,
    encode: Callable[[Any, Tensor], Tensor] | None = None,
) -> Training:
    modules: list[Any] = setting.modules(Tied())
    core = modules[0].core.layers
    logits = [module.core.scales.weight for module in modules]
    heads = [module.output for module in modules]

    def network(task: int) -> Forward:
        def forward(x: Tensor) -> Tensor:
            x = x if encode is None else encode(core[0], x)
            for scales in logits[task].softmax(-1):
                x = sum(scale * apply(layer, x) for scale, layer in zip(scales, core, strict=True))
            return heads[task](x.flatten(1))

        return forward

    networks = [network(task) for task in range(len(modules))]
    return setting.loop(
        lambda: networks, [*core.parameters(), *logits, *nn.ModuleList(heads).parameters()]
    )
