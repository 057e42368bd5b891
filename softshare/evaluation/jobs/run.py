"""One run of a comparison: from settings and data to a record."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from softshare._version import __version__
from softshare.evaluation.resampling import has_given_test_part, resampled_metrics
from softshare.methods.method import Learned, Method
from softshare.methods.named import method_named
from softshare.methods.settings import RunSettings
from softshare.tasks.class_metrics import multiclass_error
from softshare.tasks.losses import mean_loss
from softshare.tasks.metrics import primary_metric, task_metrics
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.tasks.training_weights import weighed_for_training

NOTHING_LEARNED: Mapping[str, Any] = {
    "parameters": None,
    "metrics": {},
    "set_metrics": {},
    "resampled": {},
    "curve": [],
    "decided": {},
    "sharing": {"layers": {}, "similarity": None, "task_correlation": None, "warnings": []},
}
"""What stands in the record of a run that diverged."""


def run(
    tasks: TaskSet, settings: RunSettings, split: Split, method: Method | None = None
) -> dict[str, Any]:
    """Train one method once and measure it.

    Args:
        tasks: the raw data.
        settings: what to run.
        split: which entries train, validate and test.
        method: what learns; None for the method that the settings name.

    Returns:
        The record, but for its key and the place of its split. A run that diverges is a record too:
        its ``error`` says which task and step.
    """
    begin = time.perf_counter()
    train, validation, test = prepare(tasks, split)
    record = {
        "settings": settings.as_json(),
        "data": _data(tasks, train, validation, test, settings),
        "versions": versions(),
        "error": None,
    }
    method = method or method_named(settings.method)
    try:
        # What balances classes is for training alone: metrics count rows as they are.
        trained = weighed_for_training(train, **settings.weighing)
        watched = weighed_for_training(validation, **settings.weighing)
        learned = method.learn(trained, watched, settings, watch=True)
    except FloatingPointError as error:
        return {**record, **NOTHING_LEARNED, "error": str(error), "seconds": _since(begin)}
    outputs = learned.predict(test)
    measured = {
        "test": measure(test, outputs),
        "validation": _judged(learned, train, validation),
    }
    return record | {
        "parameters": learned.n_parameters,
        "metrics": {part: by_task for part, (by_task, _) in measured.items()},
        "set_metrics": {part: of_set for part, (_, of_set) in measured.items()},
        "resampled": resampled_metrics(test, outputs, metric=settings.metric)
        if has_given_test_part(tasks)
        else {},
        "curve": list(learned.curve),
        "decided": dict(learned.decided),
        "sharing": learned.describe(),
        "seconds": _since(begin),
    }


def measure(
    tasks: TaskSet, outputs: Sequence[np.ndarray]
) -> tuple[dict[str, dict[str, float | None]], dict[str, float]]:
    """Every task's metrics on a part of the data, and those of the set as a whole.

    Args:
        tasks: the examples.
        outputs: every task's outputs on them, ``(N_t, n_outputs_t)``.

    Returns:
        task → metric → value, the mean loss among them; and the ten-way error of one-vs-all tasks.
    """
    targets = [tasks.targets[tasks.entries(number)] for number in range(len(tasks))]
    by_task = {}
    for number, (task, rows, target) in enumerate(zip(tasks.tasks, outputs, targets, strict=True)):
        weights = tasks.weights_of(number)
        loss = mean_loss(task, rows, target, weights)
        finite = loss if np.isfinite(loss) else None
        by_task[task.label] = {**task_metrics(task, rows, target, weights), "loss": finite}
    one_vs_all = tasks.one_input and all(task.kind == "binary" for task in tasks.tasks)
    error = multiclass_error(outputs, targets, tasks.weights_of(0)) if one_vs_all else None
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
    return {
        "fingerprint": tasks.fingerprint(),
        "tasks": rows,
        "test_part": "given" if has_given_test_part(tasks) else "drawn",
        "notes": list(train.notes),
    }


def _judged(
    learned: Learned, train: TaskSet, validation: TaskSet
) -> tuple[dict[str, dict[str, float | None]], dict[str, float]]:
    """What may choose: metrics on the validation part, or on folds of the training part."""
    if len(validation.rows):
        return measure(validation, learned.predict(validation))
    if learned.out_of_fold is not None:
        return measure(train, learned.out_of_fold)
    return {}, {}


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def versions() -> dict[str, str]:
    """What computed, name → version."""
    return {
        "softshare": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
