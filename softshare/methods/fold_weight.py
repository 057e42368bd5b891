"""How much of what the networks of several folds add to the model that they stand on is added."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from softshare.methods.network_outputs import Outputs
from softshare.shallow.trust import borne_out, trust
from softshare.tasks.losses import example_losses
from softshare.tasks.splits import units_of
from softshare.tasks.task_set import TaskSet


def useful_folds(tasks: TaskSet, base: Outputs, whole: Outputs, fold: np.ndarray) -> np.ndarray:
    """Of which folds the network says more than the base does, ``(K,)``.

    Others do best where they add nothing, which is not among the steps that they choose from.

    Args:
        tasks: the training entries.
        base: what the base says of each.
        whole: what its fold's network says of each.
        fold: of each entry.

    Shape:
        base and whole ``(N, n_outputs)``, fold ``(N,)``.
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
    weight is itself noise, and they have chosen the networks' steps: it is trusted by what it gains
    beside the standard error of that, and by their number (:mod:`softshare.shallow.trust`). Entries
    of one row, or group, scatter together and count once.

    Args:
        tasks: the examples.
        base: what the base says of each, ``(N, n_outputs)``.
        whole: what networks say of each, the base's part included, ``(N, n_outputs)``.
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
    error = float(np.sqrt(of_units @ of_units))
    return best * borne_out(len(of_units)) * trust(gain, error)
