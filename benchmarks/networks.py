"""Whole networks: independent ones against a loop of modules, tied ones against hard sharing,
factorised ones against loops.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.case import Case
from benchmarks.naive import (
    as_written,
    cheapest,
    composing_once,
    composing_per_task,
    factors_per_task,
)
from benchmarks.steps import Setting, Training, stepping
from softshare.network.templates.standard import lenet, mlp, omniglot_cnn
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker

TRUNK_ONCE = "one trunk on all rows, a loop of heads"

NEVER_SLOWER, NO_SLOWER = 1 / 1.1, 1.0
"""Of independent and tied networks, and of factorised ones beside loops of the same factors."""

BIG_MLP, SHARED = "MLP 784-512-512-10, T = 10, B = 64", ", one input for all tasks"

NETWORKS = {
    BIG_MLP: partial(
        Setting, partial(mlp, hidden=(512, 512)), (784,), n_tasks=10, batch_size=64, n_outputs=10
    ),
    **{
        f"MLP 32-32-32, T = {n_tasks}, B = 16": partial(
            Setting, partial(mlp, hidden=(32,)), (32,), n_tasks=n_tasks, batch_size=16, n_outputs=32
        )
        for n_tasks in (2, 10, 50, 200)
    },
    f"{BIG_MLP}{SHARED}": partial(
        Setting,
        partial(mlp, hidden=(512, 512)),
        (784,),
        n_tasks=10,
        batch_size=64,
        n_outputs=10,
        one_input=True,
    ),
    "LeNet, T = 10, B = 32": partial(
        Setting, lenet, (1, 28, 28), n_tasks=10, batch_size=32, n_outputs=10
    ),
    "Omniglot CNN, T = 50, B = 16": partial(
        Setting, omniglot_cnn, (1, 105, 105), n_tasks=50, batch_size=16, n_outputs=20
    ),
    f"LeNet, T = 10, B = 32{SHARED}": partial(
        Setting, lenet, (1, 28, 28), n_tasks=10, batch_size=32, n_outputs=10, one_input=True
    ),
}
"""What the networks are, how many tasks, and how many examples of each are in a step."""

Naive = Callable[[Setting, Sharing], Training]

MUST = {"MLP 32-32-32, T = 10, B = 16": 3.5, "MLP 32-32-32, T = 200, B = 16": 10.0}
"""Where being as fast as the loop is not enough."""

SHARED_INPUTS = [name for name in NETWORKS if name.endswith(SHARED)]

AS_WRITTEN = (BIG_MLP, "MLP 32-32-32, T = 50, B = 16", "Omniglot CNN, T = 50, B = 16")
"""Where composing in the order of the equation is timed too; it is slow everywhere, and these are
enough to tell.
"""

FACTORISED: dict[str, Sharing] = {
    "LAF": LastAxisFlattening(rank=0.3),
    "Tucker": Tucker(ranks=0.3),
    "TT": TensorTrain(ranks=0.3),
}


def cases() -> list[Case]:
    """All of them."""
    return [
        *_plain(),
        *(case for name in NETWORKS if name not in SHARED_INPUTS for case in _factorised(name)),
    ]


def _plain() -> list[Case]:
    found = []
    for name in NETWORKS:
        found.append(
            Case(
                "networks",
                f"{name}, independent",
                "a loop of modules",
                partial(_independent, name),
                MUST.get(name, NEVER_SLOWER),
            )
        )
        if name not in SHARED_INPUTS:
            trunks = partial(tied, name, trunk_per_task), partial(tied, name, trunk_once)
            found.append(
                Case(
                    "networks",
                    f"{name}, tied",
                    "a loop of modules that share one trunk",
                    trunks[0],
                    NEVER_SLOWER,
                )
            )
            found.append(Case("networks", f"{name}, tied", TRUNK_ONCE, trunks[1]))
    return found


def _factorised(name: str) -> list[Case]:
    return [
        Case("factorised", f"{name}, {label}", other, partial(_beside, name, sharing, make), least)
        for label, sharing in FACTORISED.items()
        for other, make, least in _loops(name)
    ]


def _loops(name: str) -> list[tuple[str, Naive, float | None]]:
    """The loops beside which a factorised network stands, and what is asked for."""
    many = 3.0 if "T = 50" in name else None
    loops: list[tuple[str, Naive, float | None]] = [
        (
            "composing per task, in the cheapest order",
            partial(composing_per_task, order=cheapest),
            many or NO_SLOWER,
        )
    ]
    if name in AS_WRITTEN:
        loops.append(
            (
                "composing per task, einsum as written",
                partial(composing_per_task, order=as_written),
                many,
            )
        )
    if "T = 2," not in name:
        loops.append(("composing once, then a loop of modules", composing_once, None))
    if name.startswith("MLP"):
        loops.append(("a loop of the same factorised layers", factors_per_task, NO_SLOWER))
    return loops


def _independent(name: str, device: torch.device) -> tuple[Training, Training]:
    setting = NETWORKS[name](device=device)
    return setting.ours(Independent()), setting.independent_loop()


def tied(
    name: str, other: Callable[[Setting], Training], device: torch.device
) -> tuple[Training, Training]:
    """Our tied network beside another way of hard sharing."""
    setting = NETWORKS[name](device=device)
    return setting.ours(Tied()), other(setting)


def _beside(
    name: str, sharing: Sharing, other: Naive, device: torch.device
) -> tuple[Training, Training]:
    setting = NETWORKS[name](device=device)
    return setting.ours(sharing), other(setting, sharing)


def trunk_per_task(setting: Setting) -> Training:
    """Hard sharing as a loop over the tasks: each sends its rows through the one trunk, then
    through its head.
    """
    trunk, heads = _trunk_and_heads(setting)
    networks = [nn.Sequential(trunk, head) for head in heads]
    return setting.loop(lambda: networks, nn.ModuleList([trunk, *heads]).parameters())


def trunk_once(setting: Setting) -> Training:
    """Hard sharing with all rows at once in the trunk, and a loop over the heads."""
    trunk, heads = _trunk_and_heads(setting)
    x = setting.batch.inputs.flatten(0, 1)

    def loss() -> Tensor:
        features = trunk(x).chunk(len(heads))
        return setting.loss(head(rows) for head, rows in zip(heads, features, strict=True))

    return stepping(loss, nn.ModuleList([trunk, *heads]).parameters())


def _trunk_and_heads(setting: Setting) -> tuple[nn.Module, list[nn.Module]]:
    """The tied network in modules: all layers but the last, and the tasks' last ones."""
    modules = setting.modules(Tied())
    return modules[0][:-1], [module[-1] for module in modules]
