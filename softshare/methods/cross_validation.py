"""The choice between candidates by k-fold cross-validation on a training part."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.tasks.folds import folds
from softshare.tasks.losses import BinaryLoss, TaskLosses
from softshare.tasks.metrics import metric_named, primary_metric, weighted_metric
from softshare.tasks.task_set import TaskSet
from softshare.training.recorder import mean_losses

Candidate = TypeVar("Candidate", bound=Hashable)

Learn = Callable[[TaskSet, TaskSet], MultiTaskNetwork]
"""Trains a network on the first examples; it may watch the second, on which it will be judged."""

Judge = Callable[[MultiTaskNetwork, TaskSet], np.ndarray]
"""How badly each task is predicted on examples that were held out, ``(T,)``, lower being better:
NaN where these do not tell, infinite where nothing finite is predicted.
"""

N_FOLDS = 5
"""As in Yang and Hospedales (2017)."""


def by_loss(binary: BinaryLoss = "logistic") -> Judge:
    """Judges by the mean loss, which should be the one that was trained for.

    Args:
        binary: the loss of binary tasks.
    """

    def judge(network: MultiTaskNetwork, held_out: TaskSet) -> np.ndarray:
        losses = TaskLosses(held_out.tasks, binary=binary)
        found: np.ndarray = mean_losses(network, held_out, losses).numpy()
        has_examples = held_out.n_examples > 0
        diverged = has_examples & ~np.isfinite(found)
        return np.where(diverged, math.inf, found)

    return judge


def by_metric(name: str | None) -> Judge:
    """Judges by a metric, its sign turned where greater is better.

    Args:
        name: one of every task's kind (:data:`softshare.tasks.metrics.METRICS`); the loss when
            None.

    Raises:
        ArgumentError: there is no such metric; when judging, it is for tasks of another kind.
    """
    if name is None or metric_named(name).measure is None:
        return by_loss()

    def judge(network: MultiTaskNetwork, held_out: TaskSet) -> np.ndarray:
        values = []
        for number, outputs in enumerate(predict(network, held_out)):
            task = held_out.tasks[number]
            metric = metric_named(primary_metric(task, name))
            _, targets = held_out.examples(number)
            weights = held_out.weights_of(number)
            of_rows = np.ones((1, len(targets))) if weights is None else weights[None]
            if outputs.isfinite().all():
                found = weighted_metric(metric, outputs.numpy(), targets.numpy(), of_rows)
                values.append(-metric.sign * float(found[0]))
            else:
                values.append(math.inf)
        return np.array(values)

    return judge


def cross_validate(
    candidates: Mapping[Candidate, Learn],
    train: TaskSet,
    *,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    judge: Judge | None = None,
) -> dict[Candidate, float]:
    """How well each candidate learns, on the same folds: lower is better.

    Args:
        candidates: what to choose from, and how each is trained.
        train: the training part, prepared; no other example is looked at.
        n_folds: parts, each held out once.
        seed: of the folds.
        judge: by what, such as ``by_loss("hinge")`` for networks that are trained so, or
            ``by_metric("accuracy")``; by the loss when None.

    Returns:
        What is judged on held-out examples, the mean over tasks and then over folds; infinite where
        training diverged. Tasks, and folds, that do not tell are left out.

    Raises:
        ValueError: there are fewer than two folds, or fewer rows than folds.
    """
    judge = judge or by_loss()
    fold = folds(train, n_folds, seed=seed)
    parts = [
        (train.select(fold != number), train.select(fold == number)) for number in range(n_folds)
    ]
    found = {}
    for candidate, learn in candidates.items():
        values = [_held_out(learn, judge, *part) for part in parts]
        found[candidate] = _mean_of_told(np.array(values))
    return found


def _held_out(learn: Learn, judge: Judge, train: TaskSet, held_out: TaskSet) -> float:
    """What is judged on one fold, the mean over tasks; NaN where it does not tell."""
    try:
        network = learn(train, held_out)
    except FloatingPointError:
        return math.inf
    values = judge(network, held_out)
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else math.nan


def _mean_of_told(values: np.ndarray) -> float:
    """The mean of what is no NaN; infinite where nothing tells."""
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else math.inf
