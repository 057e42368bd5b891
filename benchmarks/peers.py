"""TensorLy-Torch's factorised layers and TorchJD's hard sharing, on the same tasks."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.layers import LAYERS, N_TASKS, SETTING, SHAPE, drawn, inputs, layer_step
from benchmarks.measure import Step
from benchmarks.networks import NETWORKS
from benchmarks.steps import stepping
from softshare.sharing.tied import Tied

TENSORLY = {"TT (32, 5)": ("TT", (1, 32, 5, 1)), "TT (128, 5)": ("TT", (1, 128, 5, 1)), "Tucker (128, 128, 5)": ("Tucker", (128, 128, 5))}
"""Our layer → TensorLy-Torch's factorisation and its ranks, for a tensor of inputs, outputs and tasks."""


def cases() -> list[Case]:
    """All of them; without the peers' packages, none."""
    found = [
        Case("peers", f"{name}, {SETTING}", f"TensorLy-Torch, composed {how}", partial(_tensorly, name, once), 3.0)
        for name in TENSORLY
        for how, once in (("once", True), ("per task", False))
    ]
    mlp = "MLP 784-512-512-10, T = 10, B = 64"
    return [*found, Case("peers", f"{mlp}, tied", "TorchJD (UPGrad), hard sharing", partial(_torchjd, mlp), 1.0)]


def _tensorly(name: str, once: bool, device: torch.device) -> tuple[Step, Step]:
    import tltorch

    kind, ranks = TENSORLY[name]
    tensor = tltorch.FactorizedTensor.new((*SHAPE, N_TASKS), rank=ranks, factorization=kind, device=device).normal_(0, 0.03)
    x = inputs(device)

    def all_at_once() -> Tensor:
        return torch.bmm(x, tensor.to_tensor().permute(2, 0, 1)).square().mean()

    def task_by_task() -> Tensor:
        return torch.stack([(rows @ tensor.to_tensor()[..., task]).square().mean() for task, rows in enumerate(x.unbind(0))]).mean()

    ours = layer_step(drawn(LAYERS[name][0], SHAPE, n_tasks=N_TASKS, device=device), x)
    return ours, stepping(all_at_once if once else task_by_task, tensor.parameters())


def _torchjd(name: str, device: torch.device) -> tuple[Step, Step]:
    from torchjd.aggregation import UPGrad
    from torchjd.autojac import jac_to_grad, mtl_backward

    setting = NETWORKS[name](device=device)
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU()).to(device)
    heads = nn.ModuleList(nn.Linear(512, 10) for _ in range(N_TASKS)).to(device)
    aggregator, optimizer = UPGrad(), torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        features = trunk(setting.batch.inputs.flatten(0, 1))
        each = zip(features.unflatten(0, (N_TASKS, -1)).unbind(0), heads, setting.batch.targets.long().unbind(0), strict=True)
        losses = [functional.cross_entropy(head(rows), targets) for rows, head, targets in each]
        mtl_backward(losses, features=features)
        jac_to_grad(trunk.parameters(), aggregator)
        optimizer.step()

    return setting.ours(Tied()), step
