"""TensorLy-Torch's factorised layers and TorchJD's hard sharing, on the same tasks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.layers import LAYERS, N_TASKS, SETTING, SHAPE, drawn, inputs, layer_step
from benchmarks.measure import Step
from benchmarks.networks import BIG_MLP, NETWORKS, tied, trunk_once
from benchmarks.steps import stepping
from softshare.sharing.tied import Tied

Other = Callable[[Any, Tensor], Tensor]
"""TensorLy-Torch's tensor and the tasks' inputs → the loss."""

TENSORLY = {
    "TT (32, 5)": ("TT", (1, 32, 5, 1)),
    "TT (128, 5)": ("TT", (1, 128, 5, 1)),
    "Tucker (128, 128, 5)": ("Tucker", (128, 128, 5)),
}
"""Our layer → TensorLy-Torch's factorisation and its ranks, for a tensor of inputs, outputs and
tasks.
"""


def cases() -> list[Case]:
    """All of them; without the peers' packages, none."""
    others: list[tuple[str, Other, float | None]] = [
        ("TensorLy-Torch, composed once", composed_once, 3.0),
        ("TensorLy-Torch, indexed and composed per task", composed_per_task, 3.0),
        ("TensorLy-Torch's factors, the input joined by hand in our order", joined_by_hand, None),
    ]
    found = [
        Case("peers", f"{name}, {SETTING}", other, partial(_tensorly, name, loss), least)
        for name in TENSORLY
        for other, loss, least in others
    ]
    found.append(
        Case(
            "peers",
            f"{BIG_MLP}, tied",
            "TorchJD (UPGrad), hard sharing",
            partial(_torchjd, BIG_MLP),
            1.0,
        )
    )
    return [
        *found,
        Case(
            "peers",
            f"{BIG_MLP}, tied",
            "one trunk, a loop of heads, summed losses",
            partial(tied, BIG_MLP, trunk_once),
        ),
    ]


def _tensorly(name: str, other: Other, device: torch.device) -> tuple[Step, Step]:
    tensor, x = tensorly(name, SHAPE, device), inputs(device)
    ours = layer_step(drawn(LAYERS[name][0], SHAPE, n_tasks=N_TASKS, device=device), x)
    return ours, stepping(lambda: other(tensor, x), tensor.parameters())


def tensorly(name: str, shape: tuple[int, int], device: torch.device) -> Any:
    """The factorised tensor of our layer of this name, for other sizes too.

    TensorLy-Torch's FactorizedLinear of several layers, which would index the tensor as
    :func:`composed_per_task` does, is not
    run: its ``n_layers`` raises a TypeError in the installed version.
    """
    import tltorch

    kind, ranks = TENSORLY[name]
    return tltorch.FactorizedTensor.new(
        (*shape, N_TASKS), rank=ranks, factorization=kind, device=device
    ).normal_(0, 0.03)


def composed_once(tensor: Any, x: Tensor) -> Tensor:
    """The loss of a layer whose weights of all tasks are composed together."""
    return torch.bmm(x, tensor.to_tensor().permute(2, 0, 1)).square().mean()


def composed_per_task(tensor: Any, x: Tensor) -> Tensor:
    """The same with each task's part of the tensor composed by itself."""
    weights = (tensor[:, :, task].to_tensor() for task in range(len(x)))
    return torch.stack(
        [(rows @ weight).square().mean() for rows, weight in zip(x.unbind(0), weights, strict=True)]
    ).mean()


def joined_by_hand(tensor: Any, x: Tensor) -> Tensor:
    """The same in our order: the input goes through the factor of its mode, then through what is
    left of each task.
    """
    if tensor.name == "TT":
        first, middle, last = tensor.factors
        return (
            torch.bmm(x @ first[0], torch.einsum("aeb,bt->tae", middle, last[..., 0]))
            .square()
            .mean()
        )
    first, outputs, tasks = tensor.factors
    core = torch.einsum("tc,abc->tab", tasks, tensor.core)
    return (torch.bmm(x @ first, core) @ outputs.T).square().mean()


def _torchjd(name: str, device: torch.device) -> tuple[Step, Step]:
    from torchjd.aggregation import UPGrad
    from torchjd.autojac import jac_to_grad, mtl_backward

    setting = NETWORKS[name](device=device)
    trunk = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU()
    ).to(device)
    heads = nn.ModuleList(nn.Linear(512, 10) for _ in range(N_TASKS)).to(device)
    aggregator, optimizer = (
        UPGrad(),
        torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-4, fused=True),
    )

    def step() -> None:
        features = trunk(setting.batch.inputs.flatten(0, 1))
        each = zip(
            features.unflatten(0, (N_TASKS, -1)).unbind(0),
            heads,
            setting.batch.targets.long().unbind(0),
            strict=True,
        )
        losses = [functional.cross_entropy(head(rows), targets) for rows, head, targets in each]
        mtl_backward(losses, features=features)
        jac_to_grad(trunk.parameters(), aggregator)
        optimizer.step()
        optimizer.zero_grad()

    return setting.ours(Tied()), step
