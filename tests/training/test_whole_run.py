"""A whole run of every method, against the loop that one would write by hand in plain PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import AdamW

from softshare.methods.method import CROSS_VALIDATED
from softshare.methods.named import METHODS
from softshare.methods.network_method import NetworkMethod
from softshare.methods.settings import RunSettings
from softshare.methods.training import Trainer
from softshare.network.layers import parameters_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tensor_normal import TensorNormal
from softshare.tasks.batches import Batches
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task_set import TaskSet
from softshare.training.distributed import Processes
from softshare.training.fit import fit
from softshare.training.spreads import SpreadUpdates

STEPS, BATCH, RATE, DECAY, SEED = 20, 8, 0.05, 0.1, 3
EVERY = 2  # ten evaluations a run
NETWORKS = [method for method in METHODS if isinstance(method, NetworkMethod)]


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def made_tasks(seed: int, slope: float = 0.3) -> TaskSet:
    """Few rows, whose labels say little: validation is best long before the end."""
    random = np.random.default_rng(seed)
    data = {}
    for name, size in (("a", 20), ("b", 14), ("c", 17)):
        inputs = random.normal(size=(size, 4))
        data[name] = inputs, (slope * inputs[:, 0] + random.normal(size=size) > 0).astype(int)
    return TaskSet.from_arrays(data, kinds="binary")


Values = dict[str, Tensor]
Best = dict[int, tuple[float, int, Values]]


class Plain:
    """A network's tasks as plain modules that run with the shared parameters' values.

    Args:
        network: whose parameters are trained.
    """

    def __init__(self, network: MultiTaskNetwork) -> None:
        self.network = network
        self._modules = [network.task(task.name) for task in network.tasks]
        self._parameters = parameters_of(self._modules[0])

    def values(self, task: int) -> Values:
        """A task's parameters as its plain module has them, with their gradients' way back."""
        return {
            path: parameter.to_torch(self.network.shared_weight(path).of(task))
            for path, parameter in self._parameters.items()
        }

    def loss(self, task: int, inputs: Tensor, targets: Tensor) -> Tensor:
        """A task's mean loss."""
        outputs = functional_call(self._modules[task], self.values(task), (inputs,))
        return binary_cross_entropy_with_logits(outputs[:, 0], targets)

    @torch.no_grad()
    def put_back(self, best: Best) -> None:
        """Every task's best values, into a network of independent weights."""
        for task, (_, _, values) in best.items():
            for path, parameter in self._parameters.items():
                (rows,) = self.network.shared_weight(path).parameters()
                rows[task].copy_(parameter.to_paper(values[path]))


def plain_run(
    network: MultiTaskNetwork,
    train: TaskSet,
    validation: TaskSet,
    *,
    steps: int,
    rates: Mapping[str, float],
) -> tuple[Best, list[dict[str, float]]]:
    """Trains a network in place; every task's best values, and the curve."""
    groups = []
    for path, weight in network.shared_weights.items():
        for name, parameter in weight.named_parameters():
            full = f"{path}.{name.removeprefix('factors.')}"
            factors = [factor for pattern, factor in rates.items() if fnmatchcase(full, pattern)]
            if parameter.requires_grad:
                groups.append({"params": [parameter], "lr": RATE * (factors or [1.0])[0]})
    plain = Plain(network)
    # A decay of 1 shrinks weights by a thousandth a step, whatever the learning rate is.
    decay = DECAY * 1e-3 / RATE
    optimizer = AdamW(groups, weight_decay=decay, foreach=False, fused=False)
    numbers, examples = range(len(train)), torch.from_numpy(train.n_examples)
    best: Best = {}
    curve: list[dict[str, float]] = []
    since: list[float] = []
    stream = Batches(train, batch_size=BATCH, seed=SEED)
    # Where weights are sums: a closed-form update, held to its definition in test_spreads.
    spreads = SpreadUpdates(network, train, TaskLosses(train.tasks), Processes())
    for step, (batch,) in enumerate(islice(stream, steps), start=1):
        optimizer.zero_grad()
        each = [plain.loss(t, batch.inputs[t], batch.targets[t]) for t in numbers]
        penalties = [weight.penalty(examples) for weight in network.shared_weights.values()]
        (sum(each) + sum(penalties)).backward()
        optimizer.step()
        for weight in network.shared_weights.values():
            weight.after_step()
        spreads.after_step(network, step, [batch.to(torch.device("cpu"), torch.float64)])
        since.append(float(sum(each).detach()) / len(each))
        if step % EVERY:
            continue
        with torch.no_grad():
            held = [float(plain.loss(t, *validation.examples(t))) for t in numbers]
        mean = sum(held) / len(held)
        for task in numbers:
            value = held[task] if network.shares_nothing else mean
            if task not in best or value < best[task][0]:
                kept = {path: x.detach().clone() for path, x in plain.values(task).items()}
                best[task] = value, step, kept
        curve.append({"step": step, "train_loss": sum(since) / len(since), "validation_loss": mean})
        since = []
    return best, curve


def given(method: NetworkMethod) -> dict[str, Any]:
    """What a method would choose by cross-validation."""
    return {name: 1 for name, value in method.options.items() if value == CROSS_VALIDATED}


def settings_for(method: NetworkMethod, options: Mapping[str, Any]) -> RunSettings:
    return RunSettings(
        source="made",
        method=method.name,
        fraction=1.0,
        seed=SEED,
        steps=STEPS,
        batch_size=BATCH,
        hidden=(5, 4),
        learning_rate=RATE,
        weight_decay=DECAY,
        dropout=0.0,
        method_options={**given(method), **options},
    )


def assert_plain_loop(method: NetworkMethod, options: Mapping[str, Any]) -> Best:
    train, validation = made_tasks(0), made_tasks(1, slope=-0.2)
    settings = settings_for(method, options)
    trainer = Trainer(method)
    network, found_curve = trainer.train(settings, train, validation)

    plain = trainer.start(settings, train)
    curve: list[dict[str, float]] = []
    apart = round(STEPS * method.values(settings).get("apart", 0))
    if apart:
        best, curve = plain_run(plain, train, validation, steps=apart, rates={})
        Plain(plain).put_back(best)
        sharing = method.sharing(list(plain.layers), method.values(settings))
        plain = plain.with_sharing(sharing)
    best, rows = plain_run(plain, train, validation, steps=STEPS - apart, rates=method.rates)
    curve += [{**row, "step": row["step"] + apart} for row in rows]
    assert [row["step"] for row in found_curve] == [row["step"] for row in curve]
    for found, row in zip(found_curve, curve, strict=True):
        assert found["train_loss"] == pytest.approx(row["train_loss"], rel=1e-6)
        assert found["validation_loss"] == pytest.approx(row["validation_loss"], rel=1e-6)
    for task, (_, _, values) in best.items():
        for path, value in Plain(network).values(task).items():
            torch.testing.assert_close(value.detach(), values[path], rtol=1e-5, atol=1e-7)
    return best


@pytest.mark.parametrize("method", NETWORKS, ids=lambda method: method.name)
def test_a_run_is_the_loop_that_one_would_write(method: NetworkMethod) -> None:
    # A penalty that decides something, its covariances learned within the few steps.
    stronger = {"gamma": 0.3, "scale": 0.5}
    options = {name: value for name, value in stronger.items() if name in method.options}
    best = assert_plain_loop(method, options)
    assert min(step for _, step, _ in best.values()) < STEPS  # so that keeping the best shows


@pytest.mark.parametrize(
    "method",
    [method for method in NETWORKS if "apart" in method.options],
    ids=lambda method: method.name,
)
def test_a_start_from_tasks_trained_apart_is_too(method: NetworkMethod) -> None:
    assert_plain_loop(method, {"apart": 0.5})


def test_tasks_that_share_nothing_keep_each_its_own_best() -> None:
    (independent,) = [method for method in NETWORKS if method.name == "independent"]
    best = assert_plain_loop(independent, {})
    assert len({step for _, step, _ in best.values()}) > 1


def test_closed_form_updates_come_after_every_step() -> None:
    train = made_tasks(0)
    sharing = {"layers.0": TensorNormal(warm_up=0)}
    network = MultiTaskNetwork(partial(mlp, hidden=(4,)), train, sharing=sharing)
    fit(network, train, steps=5)
    weight = network.shared_weight("layers.0.weight")
    assert int(weight.get_buffer("step")) == 5
