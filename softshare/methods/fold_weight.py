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
    before = example_losses(task, base, tasks.targets)
    after = example_losses(task, whole, tasks.targets)
    gains = _counts(tasks) * (before - after)
    return np.bincount(fold, gains) > 0


def weight_of(tasks: TaskSet, base: Outputs, whole: Outputs) -> float:
    """How much of what networks add to a base does best on examples that they have not seen, as
    far as these bear it out.

    Where networks add nothing but noise that is 0, and the base alone is left. Of few rows the best
    weight is itself noise, and they have chosen the networks' steps: it is trusted by what it gains
    beside the standard error of that, and by their number (:mod:`softshare.shallow.trust`). Entries
    of one row, or group, scatter together and count once.

    Of N rows the weight w that does best, with a mean gain g and its standard error s, gives
    ``w (2 Φ(g / s) − 1) N / (N + 20)``.

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
    candidates = (0.0, 1.0, float(found.x))
    best = min(candidates, key=loss)

    counts = _counts(tasks)
    shares = counts / counts.sum()
    gains = losses(0.0) - losses(best)
    gain = float(shares @ gains)

    unit = np.unique(units_of(tasks), return_inverse=True)[1]
    scatter = shares * (gains - gain)
    of_units = np.bincount(unit, scatter)
    error = float(np.linalg.norm(of_units))
    return best * borne_out(len(of_units)) * trust(gain, error)


def _counts(tasks: TaskSet) -> np.ndarray:
    """How much every entry counts, ``(N,)``."""
    return np.ones(len(tasks.rows)) if tasks.weights is None else tasks.weights
