"""The evidence on spreads, against every task's whole Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.func import functional_call
from torch.testing import assert_close

import softshare as ss
from softshare.sharing.algebra.excess import excess_squares
from softshare.sharing.spread import Spread
from softshare.sharing.weights.sum_weight import SumWeight
from softshare.tasks.batch import Batch
from softshare.tasks.curvature import curvature_roots
from softshare.tasks.losses import TaskLosses
from softshare.training.distributed import Processes
from softshare.training.spreads import EVERY, MOST_ROWS, PRIOR_ROWS, SpreadUpdates

N_ROWS = (8, 15, 11)
BATCH = 12
"""More than the first task has: some of its rows come twice."""

TEMPLATES = {
    "vectors": lambda width: nn.Sequential(nn.Linear(9, 4), nn.Tanh(), nn.Linear(4, width)),
    "images": lambda width: nn.Sequential(
        nn.Unflatten(1, (1, 3, 3)),
        nn.Conv2d(1, 2, 2),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(8, width),
    ),
}
FIRST = {"vectors": 0, "images": 1}
"""The number of the first layer with a weight."""


def tasks_of(kind: str) -> ss.TaskSet:
    numbers = np.random.default_rng(0)
    data = {}
    for name, n_rows in zip("abc", N_ROWS, strict=True):
        targets: Any = numbers.normal(size=n_rows)
        if kind != "regression":
            n_classes = {"binary": 2, "multiclass": 3}[kind]
            targets = np.arange(n_rows) % n_classes
        data[name] = (numbers.normal(size=(n_rows, 9)), targets)
    return ss.TaskSet.from_arrays(data, kinds=kind)


def network_of(template: str, tasks: ss.TaskSet, own: ss.Sharing) -> ss.MultiTaskNetwork:
    module = TEMPLATES[template](tasks.tasks[0].n_outputs)
    sharing = ss.Tied() + own
    layers = {str(FIRST[template]): sharing, "*": sharing, str(len(module) - 1): sharing}
    network = ss.MultiTaskNetwork(module, tasks, sharing=layers).double()
    generator = torch.Generator().manual_seed(1)
    for weight in network.shared_weights.values():
        assert isinstance(weight, SumWeight)
        for values in weight.own.parameters():
            values.data.normal_(generator=generator)
        assert weight.spread is not None
        weight.spread.variance.fill_(0.05)
    return network


def batch_of(tasks: ss.TaskSet, *, missing: bool, n_rows: int = BATCH) -> Batch:
    generator = torch.Generator().manual_seed(2)
    shape = (len(tasks.tasks), n_rows)
    targets = torch.randn(shape, generator=generator, dtype=torch.float64)
    n_classes = tasks.tasks[0].n_outputs
    if tasks.tasks[0].kind != "regression":
        targets = torch.randint(0, max(2, n_classes), shape, generator=generator)
        targets = targets.double() if n_classes == 1 else targets
    present = None
    if missing:
        present = torch.rand(shape, generator=generator) < 0.7
    inputs = torch.randn(*shape, 9, generator=generator, dtype=torch.float64)
    return Batch(torch.arange(len(tasks.tasks)), inputs, targets, present)


def found_by_updates(
    network: ss.MultiTaskNetwork,
    tasks: ss.TaskSet,
    batches: Sequence[Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[Spread, tuple[Tensor, Tensor]]:
    """What each spread is told in one update."""
    found: dict[Spread, tuple[Tensor, Tensor]] = {}

    def learn(spread: Spread, excess: Tensor, weight: Tensor) -> Tensor:
        found[spread] = (excess, weight)
        return torch.ones(())

    monkeypatch.setattr(Spread, "learn", learn)
    updates = SpreadUpdates(network, tasks, TaskLosses(tasks.tasks), Processes())
    updates.after_step(network, EVERY - 1, batches)
    assert not found
    updates.after_step(network, EVERY, batches)
    return found


def mean_input(layer: nn.Module, inputs: Tensor, weights: Tensor) -> Tensor:
    """Of a layer, over rows by their weights, and over places."""
    if isinstance(layer, nn.Conv2d):
        patches = nn.functional.unfold(inputs, layer.kernel_size)  # (B, in, P)
        inputs = patches.mean(2)
    mean = (weights.unsqueeze(1) * inputs).sum(0) / weights.sum()
    return mean.reshape(layer.weight.shape[1:])  # type: ignore[operator]


def by_definition(
    network: ss.MultiTaskNetwork, tasks: ss.TaskSet, batch: Batch, number: int
) -> dict[str, tuple[Tensor, Tensor]]:
    """The evidence on the weight and the bias of one layer."""
    outputs = network.run(batch.inputs, tasks=batch.tasks).detach().requires_grad_()
    losses = TaskLosses(tasks.tasks)(outputs, batch)
    (of_outputs,) = torch.autograd.grad(losses.sum(), outputs)
    n_rows = torch.tensor(N_ROWS, dtype=torch.float64)
    dispersion = torch.ones(len(N_ROWS), dtype=torch.float64)
    if tasks.tasks[0].kind == "regression":
        common = (n_rows * losses).sum() / n_rows.sum()
        dispersion = 2 * (PRIOR_ROWS * common + n_rows * losses) / (PRIOR_ROWS + n_rows)
    roots = curvature_roots(outputs, tasks.tasks, dispersion.detach())
    labels = torch.ones_like(batch.targets) if batch.present is None else batch.present
    labels = labels.double()
    weights = labels * (n_rows / labels.sum(1)).clamp(max=1).unsqueeze(1)
    evidence = {"weight": [], "bias": []}
    for task, of_task in enumerate(tasks.tasks):
        module = network.task(of_task.name)
        layer = module[number]
        names = (f"{number}.weight", f"{number}.bias")

        def run(*values: Tensor, module: Any = module, names: Any = names, task: int = task) -> Any:
            given = dict(zip(names, values, strict=True))
            return functional_call(module, given, batch.inputs[task])

        of_weight, of_bias = jacobian(run, (layer.weight, layer.bias))
        mean = mean_input(layer, module[:number](batch.inputs[task]), weights[task])
        free = of_bias.reshape(*of_bias.shape, *[1] * mean.ndim)
        to_likelihood = weights[task].sum() / dispersion[task]
        for name, of_values in (("weight", of_weight - free * mean), ("bias", of_bias)):
            of_values = of_values.flatten(2)  # (B, W, D)
            rows = torch.einsum("cbw,bwd,b->cbd", roots[:, task], of_values, weights[task].sqrt())
            rows = rows.flatten(0, 1)
            score = -to_likelihood * torch.einsum("bw,bwd->d", of_outputs[task], of_values)
            shared = network.shared_weights[f"{number}.{name}"]
            own = (shared.of(task) - shared.common.of(task)).detach()
            if name == "weight":
                own = own.T if own.ndim == 2 else own.permute(3, 2, 0, 1)
            evidence[name].append((rows @ rows.T, rows @ score, rows @ own.flatten()))
    found = {}
    for name, of_tasks in evidence.items():
        kernel, pull, own = (torch.stack(part).detach() for part in zip(*of_tasks, strict=True))
        found[name] = excess_squares(kernel, pull, own, torch.tensor(0.05))
    return found


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize(
    "own", [ss.TensorTrain(1.0), ss.TensorRing(2, shared=0, cores=2)], ids=["train", "ring"]
)
def test_evidence_is_that_of_the_whole_jacobian(
    template: str, kind: str, own: ss.Sharing, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = tasks_of(kind)
    network = network_of(template, tasks, own)
    batch = batch_of(tasks, missing=kind == "binary")
    found = found_by_updates(network, tasks, [batch], monkeypatch)
    assert len(found) == 4
    expected = by_definition(network, tasks, batch, FIRST[template])
    # Own parts around their own mean have lost one of three parts of their variance; those of a
    # ring, which is not linear in its cores, keep their mean.
    for name, (excess, total) in expected.items():
        weight = network.shared_weights[f"{FIRST[template]}.{name}"]
        assert isinstance(weight, SumWeight)
        is_centred = isinstance(own, ss.TensorTrain) or name == "bias"
        lost = 3 / 2 if is_centred else 1.0
        assert_close(found[weight.spread][0], lost * excess, rtol=1e-5, atol=1e-8)
        assert_close(found[weight.spread][1], total, rtol=1e-5, atol=1e-8)


def test_no_more_rows_and_tasks_than_are_looked_at_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softshare.training.spreads.MOST_TASKS", 2)
    tasks = tasks_of("binary")
    network = network_of("vectors", tasks, ss.TensorTrain(1.0))
    batch = batch_of(tasks, missing=True, n_rows=MOST_ROWS + 5)
    assert batch.present is not None
    part = Batch(
        batch.tasks[:2],
        batch.inputs[:2, :MOST_ROWS],
        batch.targets[:2, :MOST_ROWS],
        batch.present[:2, :MOST_ROWS],
    )
    of_all = found_by_updates(network, tasks, [batch], monkeypatch)
    of_part = found_by_updates(network, tasks, [part], monkeypatch)
    for spread, evidence in of_all.items():
        assert_close(evidence, of_part[spread])


def test_errors_are_remembered_and_go_on_where_they_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spread, "learn", lambda spread, excess, weight: torch.ones(()))
    tasks = tasks_of("regression")
    network = network_of("vectors", tasks, ss.TensorTrain(1.0))
    losses = TaskLosses(tasks.tasks)
    updates = SpreadUpdates(network, tasks, losses, Processes())
    first, second = batch_of(tasks, missing=False), batch_of(tasks, missing=False, n_rows=5)
    spread = network.shared_weights["0.weight"].spread
    n_rows = torch.tensor(N_ROWS, dtype=torch.float64)
    errors = None
    for step, batch in ((EVERY, first), (2 * EVERY, second)):
        again = SpreadUpdates(network, tasks, losses, Processes())
        again.load_state_dict(updates.state_dict())
        updates = again
        updates.after_step(network, step, [batch])
        new = losses(network.run(batch.inputs, tasks=batch.tasks), batch).detach()
        errors = new if errors is None else 0.9 * errors + 0.1 * new
        common = (n_rows * errors).sum() / n_rows.sum()
        dispersion = 2 * (PRIOR_ROWS * common + n_rows * errors) / (PRIOR_ROWS + n_rows)
        assert_close(spread.dispersion, dispersion, rtol=1e-5, atol=1e-8)


def test_evidence_of_several_batches_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = tasks_of("binary")
    network = network_of("vectors", tasks, ss.TensorTrain(1.0))
    batches = [batch_of(tasks, missing=True), batch_of(tasks, missing=False, n_rows=5)]
    together = found_by_updates(network, tasks, batches, monkeypatch)
    first, second = (found_by_updates(network, tasks, [each], monkeypatch) for each in batches)
    for spread, evidence in together.items():
        for part, total in enumerate(evidence):
            assert_close(total, first[spread][part] + second[spread][part])
