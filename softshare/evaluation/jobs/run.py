"""One run of a comparison: from settings and data to a record."""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np
import torch

from softshare._version import __version__
from softshare.methods.describe import describe_sharing
from softshare.methods.describe_diagnostics import DIAGNOSTICS_OF_A_RUN, describe_diagnostics
from softshare.methods.named import method_named
from softshare.methods.settings import RunSettings
from softshare.methods.training import train_network
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.tasks.losses import TaskLosses
from softshare.tasks.metrics import multiclass_error, primary_metric, task_metrics
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import mean_losses
from softshare.training.diagnostic_history import DiagnosticHistory


def run(tasks: TaskSet, settings: RunSettings, split: Split) -> dict[str, Any]:
    """Train one method once and measure it.

    Args:
        tasks: the raw data.
        settings: what to run.
        split: which entries train, validate and test.

    Returns:
        The record, but for its key and the place of its split. A run that diverges is a record too:
            its
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
        seen = DiagnosticHistory(every=max(1, settings.steps // DIAGNOSTICS_OF_A_RUN))
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
        "parameters": sum(
            parameter.numel() for parameter in network.parameters() if parameter.requires_grad
        ),
        "metrics": {name: metrics for name, (metrics, _) in measured.items()},
        "set_metrics": {name: metrics for name, (_, metrics) in measured.items()},
        "curve": curve,
        "decided": _changed(settings, decided),
        "sharing": describe_sharing(network) | describe_diagnostics(network, seen),
        "seconds": time.perf_counter() - begin,
    }


def measure(
    network: MultiTaskNetwork, tasks: TaskSet
) -> tuple[dict[str, dict[str, float | None]], dict[str, float]]:
    """Every task's metrics on a part of the data, and those of the set as a whole (the ten-way
    error of one-vs-all tasks).
    """
    losses = mean_losses(network, tasks, TaskLosses(tasks.tasks)).tolist()
    outputs = [rows.numpy() for rows in predict(network, tasks)]
    targets = [tasks.targets[tasks.entries(number)] for number in range(len(tasks))]
    by_task = {}
    for task, rows, target, loss in zip(tasks.tasks, outputs, targets, losses, strict=True):
        by_task[task.label] = {
            **task_metrics(task, rows, target),
            "loss": loss if np.isfinite(loss) else None,
        }
    one_vs_all = tasks.one_input and all(task.kind == "binary" for task in tasks.tasks)
    error = multiclass_error(outputs, targets) if one_vs_all else None
    return by_task, {} if error is None else {"multiclass_error": error}


def _data(
    tasks: TaskSet, train: TaskSet, validation: TaskSet, test: TaskSet, settings: RunSettings
) -> dict[str, Any]:
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
    return {
        "softshare": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
