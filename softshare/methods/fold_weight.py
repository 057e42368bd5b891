"""How much of what the networks of several folds say is added to the model that they stand on.

Each network has been stopped by the rows of its own fold, which makes its outputs there look better
than they are elsewhere, and of few rows much better. Judged at the steps that the other folds
choose they look worse than they are: a network may need other steps than the others do. The truth
lies between, as between the error on rows that were trained on and that on rows left out of a
bootstrap (Efron and Tibshirani, "Improvements on cross-validation: the .632+ bootstrap method",
JASA 1997, whose shares are used here).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from softshare.methods.network_outputs import Outputs, joint_outputs
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.shallow.trust import trust
from softshare.tasks.losses import example_losses
from softshare.tasks.splits import units_of
from softshare.tasks.task_set import TaskSet

OF_OTHERS = 0.632
"""How much the weight counts that is judged at the steps which the other folds choose."""


class Watched:
    """A callback of training: what a network says of its fold at every evaluation.

    Args:
        held: the fold's examples.
    """

    def __init__(self, held: TaskSet) -> None:
        self._held = held
        self.steps: list[int] = []
        self.outputs: list[Outputs] = []

    def after_evaluation(self, network: MultiTaskNetwork, row: Mapping[str, Any]) -> None:
        """Remember what it says now; in single precision, as networks say it."""
        self.steps.append(int(row["step"]))
        self.outputs.append(joint_outputs(network, self._held).astype(np.float32))

    def at(self, step: int) -> Outputs | None:
        """What it said at the last evaluation up to a step; None before the first."""
        place = bisect_right(self.steps, step)
        return self.outputs[place - 1] if place else None


def weight_of_networks(
    tasks: TaskSet,
    base: Outputs,
    whole: Outputs,
    fold: np.ndarray,
    watched: Sequence[Watched],
) -> float:
    """How much of what networks add to a base is to be added, from 0 to 1.

    Args:
        tasks: the training entries.
        base: what the base says of each, fitted on the other folds, ``(N, n_outputs)``.
        whole: what each fold's network says of it at the step that this very fold chose.
        fold: of each entry.
        watched: what each network said at every evaluation.
    """
    by_others = at_steps_of_others(tasks, base, fold, watched)
    by_own = weight_of(tasks, base, whole)
    return (1 - OF_OTHERS) * by_own + OF_OTHERS * weight_of(tasks, base, by_others)


def at_steps_of_others(
    tasks: TaskSet,
    base: Outputs,
    fold: np.ndarray,
    watched: Sequence[Watched],
) -> Outputs:
    """What every fold's network says of it at the step at which the other folds have the least
    loss. Before the first step that is what the base says.
    """
    task = tasks.tasks[0]
    steps = sorted({0}.union(*(watch.steps for watch in watched)))
    losses = np.empty((len(watched), len(steps)))
    for number, watch in enumerate(watched):
        own = fold == number
        counts = np.ones(own.sum()) if tasks.weights is None else tasks.weights[own]
        for place, step in enumerate(steps):
            said = watch.at(step)
            of_rows = example_losses(task, base[own] if said is None else said, tasks.targets[own])
            losses[number, place] = of_rows @ counts
    outputs = base.copy()
    for number, watch in enumerate(watched):
        of_others = losses.sum(0) - losses[number]
        said = watch.at(steps[int(of_others.argmin())])
        if said is not None:
            outputs[fold == number] = said
    return outputs


def useful_folds(tasks: TaskSet, base: Outputs, whole: Outputs, fold: np.ndarray) -> np.ndarray:
    """Of which folds the network says more than the base does, ``(K,)``.

    Others do best where they add nothing: before their first step, which is not judged.
    """
    task = tasks.tasks[0]
    gains = example_losses(task, base, tasks.targets) - example_losses(task, whole, tasks.targets)
    if tasks.weights is not None:
        gains = gains * tasks.weights
    return np.bincount(fold, gains) > 0


def weight_of(tasks: TaskSet, base: Outputs, whole: Outputs) -> float:
    """How much of what networks add to a base does best on examples that they have not seen, as
    far as these bear it out.

    Where networks add nothing but noise that is 0, and the base alone is left. Of few rows the best
    weight is itself noise: it is trusted by what it gains beside the standard error of that
    (:func:`softshare.shallow.trust.trust`), as ``auto`` trusts its weights. Entries of one row, or
    group, scatter together.
    """
    task = tasks.tasks[0]
    added = whole - base

    def losses(weight: float) -> np.ndarray:
        return example_losses(task, base + weight * added, tasks.targets)

    def loss(weight: float) -> float:
        return float(np.average(losses(weight), weights=tasks.weights))

    found = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-3})
    best = min((0.0, 1.0, float(found.x)), key=loss)
    counts = np.ones(len(base)) if tasks.weights is None else tasks.weights
    shares = counts / counts.sum()
    gains = losses(0.0) - losses(best)
    gain = float(shares @ gains)
    unit = np.unique(units_of(tasks), return_inverse=True)[1]
    of_units = np.bincount(unit, shares * (gains - gain))
    return best * trust(gain, float(np.sqrt(of_units @ of_units)))
