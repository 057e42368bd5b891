"""One run of a comparison: from settings and data to a record."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from softshare._version import __version__
from softshare.evaluation.methods import Method, Options, method_named
from softshare.evaluation.readings import READINGS_OF_A_RUN, describe_readings
from softshare.evaluation.settings import RunSettings
from softshare.network.layers import parameters_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates import TemplateFactory, template_for
from softshare.sharing.independent import Independent
from softshare.sharing.strength import similarity
from softshare.tasks.losses import TaskLosses
from softshare.tasks.metrics import multiclass_error, primary_metric, task_metrics
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback, mean_losses
from softshare.training.fit import fit
from softshare.training.readings import ReadingHistory

STEPS = 1000
BATCH_SIZE = 64
HIDDEN = (64, 64)
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-4
"""Defaults found on the validation parts of `digits` and of made tasks; docs/defaults.md has the figures."""

MOST_TASKS_COMPARED = 200
"""Tasks up to which a record holds the similarity and the correlation of every pair."""


def run(tasks: TaskSet, settings: RunSettings, split: Split) -> dict[str, Any]:
    """Train one method once and measure it.

    Args:
        tasks: the raw data.
        settings: what to run.
        split: which entries train, validate and test.

    Returns:
        The record, but for its key and the place of its split. A run that diverges is a record too: its
        ``error`` says which task and step.
    """
    begin = time.perf_counter()
    train, validation, test = prepare(tasks, split)
    method = method_named(settings.method)
    record = {
        "settings": settings.as_json(),
        "data": _data(tasks, train, validation, test, settings),
        "versions": _versions(),
        "error": None,
    }
    try:
        seen = ReadingHistory(every=max(1, (settings.steps or STEPS) // READINGS_OF_A_RUN))
        network, curve = train_network(method, settings, train, validation, callbacks=[seen])
    except FloatingPointError as error:
        empty: dict[str, Any] = {
            "parameters": None,
            "metrics": {},
            "set_metrics": {},
            "curve": [],
            "sharing": {"layers": {}, "similarity": None, "task_correlation": None, "warnings": []},
        }
        return record | empty | {"error": str(error), "seconds": time.perf_counter() - begin}
    parts = {"test": test, "validation": validation}
    measured = {name: measure(network, part) for name, part in parts.items()}
    return record | {
        "parameters": sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad),
        "metrics": {name: metrics for name, (metrics, _) in measured.items()},
        "set_metrics": {name: metrics for name, (_, metrics) in measured.items()},
        "curve": curve,
        "sharing": describe_sharing(network) | describe_readings(network, seen),
        "seconds": time.perf_counter() - begin,
    }


def train_network(
    method: Method, settings: RunSettings, train: TaskSet, validation: TaskSet, *, callbacks: Sequence[Callback] = ()
) -> tuple[MultiTaskNetwork, list[dict[str, Any]]]:
    """A method's network, trained with exactly the settings' number of steps, those of its start counted.

    All methods start from the same initial weights, one draw for all tasks, so that runs of one seed are pairs; but for
    those that need each task's own (:attr:`Method.initial`).

    Args:
        method: what to train.
        settings: of the run.
        train: the training examples.
        validation: the examples that choose the weights to keep.
        callbacks: called after every step of the method's own, those of a start apart left out.

    Returns:
        The network with the weights of its best mean validation loss, and the learning curve.

    Raises:
        FloatingPointError: training diverged.
    """
    options = {**method.options, **settings.method_options}
    template = _template(method, options, train, settings.hidden or HIDDEN)
    layers = _layer_names(template, train)
    steps = settings.steps or STEPS
    apart = round(steps * options.get("apart", 0))
    rate = settings.learning_rate or LEARNING_RATE
    learn = partial(
        fit,
        train=train,
        validation=validation,
        batch_size=settings.batch_size or BATCH_SIZE,
        learning_rate=rate,
        optimizer=partial(AdamW, fused=True, weight_decay=WEIGHT_DECAY if settings.weight_decay is None else settings.weight_decay),
        evaluate_every=max(1, steps // 50),
        keep_best=True,
        seed=settings.seed,
    )
    sharing = method.sharing(layers, options)
    curve: list[dict[str, Any]] = []
    network = MultiTaskNetwork(template, train, sharing=Independent() if apart else sharing, initial=method.initial, seed=settings.seed)
    if apart:
        curve += learn(network, steps=apart)
        network = network.with_sharing(sharing)
    rates = {pattern: rate * multiple for pattern, multiple in method.rates.items()}
    curve += [row | {"step": row["step"] + apart} for row in learn(network, steps=steps - apart, learning_rates=rates, callbacks=callbacks)]
    return network, [{name: row[name] for name in ("step", "train_loss", "validation_loss")} for row in curve]


def measure(network: MultiTaskNetwork, tasks: TaskSet) -> tuple[dict[str, dict[str, float | None]], dict[str, float]]:
    """Every task's metrics on a part of the data, and those of the set as a whole (the ten-way error of one-vs-all tasks)."""
    losses = mean_losses(network, tasks, TaskLosses(tasks.tasks)).tolist()
    outputs = [rows.numpy() for rows in predict(network, tasks)]
    targets = [tasks.targets[tasks.entries(number)] for number in range(len(tasks))]
    by_task = {}
    for task, rows, target, loss in zip(tasks.tasks, outputs, targets, losses, strict=True):
        by_task[task.label] = {**task_metrics(task, rows, target), "loss": loss if np.isfinite(loss) else None}
    one_vs_all = tasks.one_input and all(task.kind == "binary" for task in tasks.tasks)
    error = multiclass_error(outputs, targets) if one_vs_all else None
    return by_task, {} if error is None else {"multiclass_error": error}


def describe_sharing(network: MultiTaskNetwork) -> dict[str, Any]:
    """What is shared in which layer, as a record holds it."""
    strength = network.sharing_strength()
    stacks = network.stacks()
    layers: dict[str, dict[str, Any]] = {}
    warnings = []
    for layer, weight in network.layers.items():
        own = sum(parameter.numel() for parameter in weight.parameters())
        stack = stacks[network.path_of(layer)]
        independent = stack.numel() if isinstance(stack, Tensor) else sum(part.numel() for part in stack)
        kind = type(network.sharing[layer]).__name__
        row: dict[str, Any] = {"sharing": kind, "ranks": list(weight.ranks()), "parameters": own, "independent_parameters": independent}
        measures = strength.get(layer)
        for name in ("rho", "rho_floor", "cosine", "effective_rank"):
            row[name] = None if measures is None else _finite(getattr(measures, name))
        if weight.ranks() and own >= independent:
            warnings.append(f"layer {layer}: {own} parameters, not fewer than independent learning's {independent}")
        layers[layer] = row
    return {
        "layers": layers,
        "similarity": _similarity(network, stacks),
        "task_correlation": _task_correlation(network),
        "warnings": warnings,
    }


def _similarity(network: MultiTaskNetwork, stacks: Mapping[str, Tensor | Sequence[Tensor]]) -> list[list[float]] | None:
    if not 1 < len(network.tasks) <= MOST_TASKS_COMPARED:
        return None
    learned = [layer for layer, weight in network.layers.items() if any(value.requires_grad for value in weight.parameters())]
    paths = [network.path_of(layer) for layer in learned]
    flat = [stack.flatten(1) for path in paths if isinstance(stack := stacks[path], Tensor)]
    return _rounded(similarity(torch.cat(flat, 1))) if flat else None


def _task_correlation(network: MultiTaskNetwork) -> list[list[float]] | None:
    """The tasks' correlation that the layers have learned, the mean over those that learn one."""
    learned = [correlation for weight in network.layers.values() if (correlation := weight.task_correlation()) is not None]
    return _rounded(torch.stack(learned).mean(0)) if learned and 1 < len(network.tasks) <= MOST_TASKS_COMPARED else None


def _rounded(matrix: Tensor) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in matrix.tolist()]


def _template(method: Method, options: Options, train: TaskSet, hidden: Sequence[int]) -> TemplateFactory:
    shape = train.input_shape(0)
    return template_for(shape, hidden=hidden) if method.template is None else method.template(shape, hidden, options)


def _layer_names(template: TemplateFactory, train: TaskSet) -> list[str]:
    with torch.random.fork_rng(devices=[]):
        module = template(train.input_shape(0), train.tasks[0].n_outputs)
    return [parameter.layer for parameter in parameters_of(module).values() if parameter.is_weight]


def _data(tasks: TaskSet, train: TaskSet, validation: TaskSet, test: TaskSet, settings: RunSettings) -> dict[str, Any]:
    counts = zip(train.n_examples, validation.n_examples, test.n_examples, strict=True)
    rows = [
        {
            "name": task.label,
            "kind": task.kind,
            "n_outputs": task.n_outputs,
            "metric": primary_metric(task, settings.metric),
            "n_train": int(n_train),
            "n_validation": int(n_validation),
            "n_test": int(n_test),
        }
        for task, (n_train, n_validation, n_test) in zip(tasks.tasks, counts, strict=True)
    ]
    return {"fingerprint": tasks.fingerprint(), "tasks": rows, "notes": list(train.notes)}


def _versions() -> dict[str, str]:
    return {"softshare": __version__, "torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
