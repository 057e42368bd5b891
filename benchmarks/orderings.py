"""Soft ordering against the loops that its equation suggests: over tasks, depths and layers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.measure import Step
from benchmarks.steps import Setting
from softshare.network.ordering_templates import ordering_cnn
from softshare.sharing.soft_ordering import SoftOrdering
from softshare.sharing.tied import Tied

N_TASKS, DEPTH = 10, 4

Forward = Callable[[Tensor], Tensor]


def cases() -> list[Case]:
    """A dense core and a convolutional one."""
    return [
        Case(
            "soft ordering", "dense core and decoders, width 64, D = 4, T = 10, B = 16", "loops over tasks, depths and layers", _dense, 5.0
        ),
        Case(
            "soft ordering",
            "convolutions, 53 channels, D = 4, 28 × 28, T = 10, B = 16",
            "loops over tasks, depths and layers",
            _convolutional,
            2.0,
        ),
    ]


def _dense(device: torch.device) -> tuple[Step, Step]:
    setting = Setting(_core_and_decoder, (64,), n_tasks=N_TASKS, batch_size=16, n_outputs=10, device=device)
    core = nn.ModuleList(nn.Linear(64, 64) for _ in range(DEPTH))

    def apply(layer: nn.Module, x: Tensor) -> Tensor:
        return functional.relu(layer(x))

    return setting.ours(Tied()), _loops(setting, lambda x: x, apply, core, 64, device)


def _core_and_decoder(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    core = SoftOrdering([nn.Linear(64, 64) for _ in range(DEPTH)])
    return nn.Sequential(OrderedDict(core=core, output=nn.Linear(64, n_outputs)))


def _convolutional(device: torch.device) -> tuple[Step, Step]:
    setting = Setting(
        partial(ordering_cnn, channels=53, depth=DEPTH), (1, 28, 28), n_tasks=N_TASKS, batch_size=16, n_outputs=10, device=device
    )
    core = nn.ModuleList(nn.Conv2d(53, 53, 3, padding=1) for _ in range(DEPTH))

    def apply(layer: nn.Module, x: Tensor) -> Tensor:
        return functional.max_pool2d(functional.relu(layer(x)), 2)

    return setting.ours(Tied()), _loops(setting, lambda x: functional.pad(x, (0, 0, 0, 0, 0, 52)), apply, core, 53, device)


def _loops(
    setting: Setting, encode: Forward, apply: Callable[[nn.Module, Tensor], Tensor], core: nn.ModuleList, width: int, device: torch.device
) -> Step:
    logits = nn.ParameterList(nn.Parameter(torch.zeros(DEPTH, DEPTH)) for _ in range(N_TASKS))
    heads = nn.ModuleList(nn.Linear(width, 10) for _ in range(N_TASKS))
    everything = nn.ModuleList([core, logits, heads]).to(device)

    def module(task: int) -> Forward:
        def forward(x: Tensor) -> Tensor:
            x = encode(x)
            for scales in logits[task].softmax(-1):
                x = sum(scale * apply(layer, x) for scale, layer in zip(scales, core, strict=True))
            return heads[task](x.flatten(1))

        return forward

    return setting.loop([module(task) for task in range(N_TASKS)], everything.parameters())
