"""Tasks that come after a model was learned: each is what the learned tasks have in common, and an
offset of its own.

The learned tasks tell how far a task may lie from what they have in common: each one's residuals,
where its rows are answered as those of a task that is not known, have a mean of the task's own. Its
variance over tasks is the prior of a new task's offset (a random intercept), which the new task's
rows move by as much as they are many. All else of the model stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from softshare.tasks.task import Kind, TaskName

FEWEST_TASKS = 3
"""Of fewer, nothing tells how tasks differ."""


@dataclass(frozen=True, eq=False)
class Offsets:
    """How tasks lie around what they have in common.

    Args:
        centre: the mean of their offsets, ``(C,)``.
        variance: of the offsets, ``(C,)``.
        noise: the variance of a row around its task; 0 of classes, whose outputs tell it.
    """

    centre: np.ndarray
    variance: np.ndarray
    noise: float

    @classmethod
    def of(
        cls, kind: Kind, outputs: np.ndarray, targets: np.ndarray, tasks: np.ndarray
    ) -> Offsets | None:
        """From rows that were answered as those of a task that is not known; None of few tasks.

        Args:
            kind: of the tasks.
            outputs: ``(N, C)``.
            targets: ``(N,)``.
            tasks: ``(N,)``.
        """
        codes, counts = np.unique(tasks, return_inverse=True, return_counts=True)[1:]
        if len(counts) < FEWEST_TASKS:
            return None
        slopes, curvature = _slopes(kind, outputs, targets)
        # One step of Newton's method from no offset: the mean residual, and its information.
        information: np.ndarray = np.stack(
            [np.bincount(codes, weights=own) for own in curvature.T], axis=1
        )
        sums = np.stack([np.bincount(codes, weights=own) for own in slopes.T], axis=1)
        means = sums / np.maximum(information, 1e-9)
        noise = 0.0
        if kind == "regression":
            inner = slopes - means[codes]
            noise = float((inner**2).sum() / max(len(codes) - len(counts), 1))
            information = information / max(noise, 1e-300)
        centre = (information * means).sum(axis=0) / information.sum(axis=0)
        return cls(centre, _between(means, information, centre), noise)

    def of_new(self, kind: Kind, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The most probable offset of a new task, ``(C,)``.

        Args:
            kind: of the task.
            outputs: on its rows, as of a task that is not known, ``(N, C)``.
            targets: ``(N,)``.
        """
        if kind == "regression":
            known = self.known(len(targets))
            mean = (targets - outputs[:, 0]).mean()
            return np.asarray(self.centre + known * (mean - self.centre))
        free = self.variance > 0
        if not free.any():
            return self.centre

        def loss(own: np.ndarray) -> float:
            offset = self.centre.copy()
            offset[free] = own
            away = (own - self.centre[free]) ** 2 / self.variance[free]
            return _log_loss(kind, outputs + offset, targets) + float(away.sum()) / 2

        found: Any = minimize(loss, self.centre[free], method="L-BFGS-B")
        offset = self.centre.copy()
        offset[free] = found.x
        return offset

    def known(self, n_rows: int) -> float:
        """How much of a task's offset so many rows of numbers tell, from 0 to 1."""
        variance = float(self.variance[0])
        return variance / (variance + self.noise / n_rows) if variance > 0 else 0.0

    def widening(self, n_rows: int) -> float:
        """How wide an interval of a task with so many rows is beside that of an unknown one."""
        variance = float(self.variance[0])
        left = variance * (1 - self.known(n_rows))
        whole = self.noise + variance
        return float(np.sqrt((self.noise + left) / whole)) if whole > 0 else 1.0


@dataclass(frozen=True, eq=False)
class AddedTask:
    """A task that came later.

    Args:
        name: of the task.
        offset: what is added to what the learned tasks have in common, in the unit in which
            training counts, ``(C,)``.
        rows: behind it.
        widening: of its intervals beside those of an unknown task.
    """

    name: TaskName
    offset: np.ndarray
    rows: int
    widening: float = 1.0


def _slopes(kind: Kind, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope of each row's log-likelihood by an offset, and its curvature, ``(N, C)`` each."""
    if kind == "regression":
        return targets[:, None] - outputs, np.ones_like(outputs)
    if kind == "binary":
        chance = expit(outputs)
        return targets[:, None] - chance, chance * (1 - chance)
    chance = softmax(outputs, axis=1)
    is_class = np.arange(outputs.shape[1]) == targets[:, None]
    return is_class - chance, chance * (1 - chance)


def _between(means: np.ndarray, information: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The variance of tasks' offsets by the method of moments (DerSimonian & Laird 1986), (C,)."""
    spread = (information * (means - centre) ** 2).sum(axis=0)
    total = information.sum(axis=0)
    scale = total - (information**2).sum(axis=0) / total
    excess = spread - (len(means) - 1)
    return np.asarray(np.maximum(excess, 0.0) / np.maximum(scale, 1e-300))


def _log_loss(kind: Kind, outputs: np.ndarray, targets: np.ndarray) -> float:
    if kind == "binary":
        signs = np.where(targets > 0, 1.0, -1.0)
        return float(np.logaddexp(0.0, -signs * outputs[:, 0]).sum())
    chosen = log_softmax(outputs, axis=1)[np.arange(len(targets)), targets.astype(np.int64)]
    return float(-chosen.sum())
