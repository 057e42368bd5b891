"""One run of a comparison: from settings and data to a record."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.optim import AdamW

from softshare._version import __version__
from softshare.evaluation.describe import describe_sharing
from softshare.evaluation.method import Method, Options
from softshare.evaluation.methods import method_named
from softshare.evaluation.readings import READINGS_OF_A_RUN, describe_readings
from softshare.evaluation.settings import RunSettings
from softshare.network.layers import parameters_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates import TemplateFactory, template_for
from softshare.sharing.independent import Independent
from softshare.tasks.losses import TaskLosses
from softshare.tasks.metrics import multiclass_error, primary_metric, task_metrics
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback, mean_losses
from softshare.training.fit import fit
from softshare.training.readings import ReadingHistory


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
        seen = ReadingHistory(every=max(1, settings.steps // READINGS_OF_A_RUN))
        decided = method.decide(method, settings, train) if method.decide else settings
        network, curve = train_network(method, decided, train, validation, callbacks=[seen])
    except FloatingPointError as error:
        empty: dict[str, Any] = {
            "parameters": None,
            "metrics": {},
            "set_metrics": {},
            "curve": [],
            "decided": {},
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
        "decided": _changed(settings, decided),
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
    apart = _steps_apart(settings, options)
    learn = partial(
        fit,
        train=train,
        validation=validation,
        batch_size=settings.batch_size,
        learning_rate=settings.rate,
        optimizer=partial(AdamW, fused=True, weight_decay=settings.decay),
        evaluate_every=_evaluate_every(settings.steps),
        keep_best=True,
        seed=settings.seed,
    )
    curve: list[dict[str, Any]] = []
    network = start_network(method, settings, train)
    if apart:
        curve += learn(network, steps=apart)
        network = network.with_sharing(method.sharing(list(network.layers), options))
    rates = {pattern: settings.rate * multiple for pattern, multiple in method.rates.items()}
    rows = learn(network, steps=settings.steps - apart, learning_rates=rates, callbacks=callbacks)
    curve += [row | {"step": (row["step"] or 0) + apart} for row in rows]
    return network, [{name: row[name] for name in ("step", "train_loss", "validation_loss")} for row in curve]


def _evaluate_every(steps: int) -> int:
    """Every 20 steps, but ten times at the least and fifty at the most."""
    return max(1, steps // 50, min(20, steps // 10))


def start_network(method: Method, settings: RunSettings, train: TaskSet) -> MultiTaskNetwork:
    """A method's network before its first step: with its sharing, or with none where the tasks are first trained apart."""
    options = {**method.options, **settings.method_options}
    template = _template(method, options, train, settings.hidden)
    sharing = {"*": Independent()} if _steps_apart(settings, options) else method.sharing(_layer_names(template, train), options)
    return MultiTaskNetwork(template, train, sharing=sharing, initial=method.initial, seed=settings.seed)


def _steps_apart(settings: RunSettings, options: Options) -> int:
    return round(settings.steps * options.get("apart", 0))


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


def _changed(settings: RunSettings, decided: RunSettings) -> dict[str, Any]:
    """The settings that the training part has decided."""
    before, after = settings.as_json(), decided.as_json()
    return {name: value for name, value in after.items() if value != before[name]}


def _versions() -> dict[str, str]:
    return {"softshare": __version__, "torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
