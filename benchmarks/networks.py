"""Whole networks: independent and tied ones against a loop of modules, factorised ones against loops of the same layers."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.case import Case
from benchmarks.measure import Step
from benchmarks.naive import composing_per_task, factors_per_task
from benchmarks.steps import Setting
from softshare.network.templates import lenet, mlp, omniglot_cnn
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker

LOOP = "a loop of modules"
COMPOSING = "composing per task"
SAME_FACTORS = "a loop of the same factorised layers"

NEVER_SLOWER = 1 / 1.1

NETWORKS = {
    "MLP 784-512-512-10, T = 10, B = 64": partial(
        Setting, partial(mlp, hidden=(512, 512)), (784,), n_tasks=10, batch_size=64, n_outputs=10
    ),
    **{
        f"MLP 32-32-32, T = {n_tasks}, B = 16": partial(
            Setting, partial(mlp, hidden=(32,)), (32,), n_tasks=n_tasks, batch_size=16, n_outputs=32
        )
        for n_tasks in (2, 10, 50, 200)
    },
    "LeNet, T = 10, B = 32": partial(Setting, lenet, (1, 28, 28), n_tasks=10, batch_size=32, n_outputs=10),
    "Omniglot CNN, T = 50, B = 16": partial(Setting, omniglot_cnn, (1, 105, 105), n_tasks=50, batch_size=16, n_outputs=20),
}
"""What the networks are, how many tasks, and how many examples of each are in a step."""

MUST = {"MLP 32-32-32, T = 10, B = 16": 3.5, "MLP 32-32-32, T = 200, B = 16": 10.0}
"""Where being as fast as the loop is not enough."""

FACTORISED: dict[str, Sharing] = {
    "LAF": LastAxisFlattening(rank=0.3),
    "Tucker": Tucker(ranks=0.3),
    "TT": TensorTrain(ranks=0.3),
}


def cases() -> list[Case]:
    """All of them."""
    found = []
    for name in NETWORKS:
        for label, sharing in {"independent": Independent(), "tied": Tied()}.items():
            least = MUST.get(name, NEVER_SLOWER) if label == "independent" else NEVER_SLOWER
            found.append(Case("networks", f"{name}, {label}", LOOP, partial(_loop, name, sharing), least))
        for label, sharing in FACTORISED.items():
            many = 3.0 if "T = 50" in name else None
            found.append(Case("factorised", f"{name}, {label}", COMPOSING, partial(_composing, name, sharing), many))
            if name.startswith("MLP"):
                found.append(Case("factorised", f"{name}, {label}", SAME_FACTORS, partial(_factors, name, sharing), 1.0))
    return found


def _loop(name: str, sharing: Sharing, device: torch.device) -> tuple[Step, Step]:
    setting = NETWORKS[name](device=device)
    return setting.ours(sharing), setting.modules()


def _composing(name: str, sharing: Sharing, device: torch.device) -> tuple[Step, Step]:
    setting = NETWORKS[name](device=device)
    return setting.ours(sharing), composing_per_task(setting, sharing)


def _factors(name: str, sharing: Sharing, device: torch.device) -> tuple[Step, Step]:
    setting = NETWORKS[name](device=device)
    return setting.ours(sharing), factors_per_task(setting, sharing)
