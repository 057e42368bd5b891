"""The choice between candidates by k-fold cross-validation on a training part."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from statistics import fmean
from typing import TypeVar

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.folds import folds
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task_set import TaskSet
from softshare.training.recorder import mean_losses

Candidate = TypeVar("Candidate", bound=Hashable)

Learn = Callable[[TaskSet, TaskSet], MultiTaskNetwork]
"""Trains a network on the first examples; it may watch the second, on which it will be judged."""

N_FOLDS = 5
"""As in Yang and Hospedales (2017)."""


def cross_validate(
    candidates: Mapping[Candidate, Learn], train: TaskSet, *, n_folds: int = N_FOLDS, seed: int = 0
) -> dict[Candidate, float]:
    """How well each candidate learns, on the same folds: lower is better.

    Args:
        candidates: what to choose from, and how each is trained.
        train: the training part, prepared; no other example is looked at.
        n_folds: parts, each held out once.
        seed: of the folds.

    Returns:
        Every candidate's mean loss on held-out examples, over tasks and folds; infinite where
        training diverged.

    Raises:
        ValueError: there are fewer than two folds, or fewer rows than folds.
    """
    fold = folds(train, n_folds, seed=seed)
    parts = [
        (train.select(fold != number), train.select(fold == number)) for number in range(n_folds)
    ]
    return {
        candidate: fmean(_held_out_loss(learn, *part) for part in parts)
        for candidate, learn in candidates.items()
    }


def _held_out_loss(learn: Learn, train: TaskSet, held_out: TaskSet) -> float:
    try:
        network = learn(train, held_out)
    except FloatingPointError:
        return math.inf
    loss = float(mean_losses(network, held_out, TaskLosses(held_out.tasks)).nanmean())
    return loss if math.isfinite(loss) else math.inf
