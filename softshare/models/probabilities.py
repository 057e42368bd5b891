"""Probabilities that come true as often as they say, by rows that were held out.

Two classes: the calibrated log-odds of a row of task t are a z + b + c_t (Platt 1999), with offsets
c_t of the tasks that are drawn to 0, those of few rows most. Several classes: a z, one temperature
1 / a for all (Guo et al. 2017, "On calibration of modern neural networks"). Either is taken only
where other held-out rows bear it out; else probabilities stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

N_FOLDS = 5
OFFSET_VARIANCES = (0.0, 0.1, 0.5)
"""Of the tasks' offsets, among which held-out rows choose. Log-odds differ hardly ever by more
after the model itself has given tasks offsets of their own.
"""

SLOPES = (0.05, 20.0)
"""A slope keeps its sign, and with it the order of a task's rows."""

SEED = 0


@dataclass(frozen=True, eq=False)
class Logits:
    """Held-out rows of classes.

    Args:
        values: log-odds ``(N, 1)`` or logits ``(N, C)``, −∞ where a task has no such class.
        targets: the class's number, ``(N,)``.
        tasks: ``(N,)``.
        units: each row's group, or a number of its own, ``(N,)``.
        weights: how much each row counts, 1 in the mean, ``(N,)``.
    """

    values: np.ndarray
    targets: np.ndarray
    tasks: np.ndarray
    units: np.ndarray
    weights: np.ndarray

    @property
    def is_binary(self) -> bool:
        """Whether one log-odds tells of two classes."""
        return self.values.shape[1] == 1

    def where(self, mask: np.ndarray) -> Logits:
        """Some of the rows."""
        parts = (self.values, self.targets, self.tasks, self.units, self.weights)
        return Logits(*(part[mask] for part in parts))


@dataclass(frozen=True, eq=False)
class Line:
    """Calibrated logits: ``slope × logits + shift + offset of the task``.

    Args:
        slope: above 0.
        shift: of all tasks; 0 of several classes.
        offsets: of every task, ``(T,)``; 0 of several classes.
    """

    slope: float
    shift: float
    offsets: np.ndarray

    def __call__(
        self,
        values: np.ndarray,
        numbers: np.ndarray,
    ) -> np.ndarray:
        """Logits ``(N, C)`` of tasks by their numbers, −1 where one was not learned, ``(N,)``."""
        own = np.append(self.offsets, 0.0)[numbers]
        return np.asarray(self.slope * values + (self.shift + own)[:, None])


def unchanged(n_tasks: int) -> Line:
    """Probabilities as they are."""
    return Line(
        1.0,
        0.0,
        np.zeros(n_tasks),
    )


def fit_line(
    logits: Logits,
    n_tasks: int,
    variance: float,
) -> Line:
    """The line of least log loss, with priors N(1, 1) of the slope, N(0, 1) of the shift and N(0,
    variance) of the offsets.

    The priors keep separated classes from a slope without end; from some hundred rows on those of
    slope and shift say nothing.

    Args:
        logits: held-out rows.
        n_tasks: of all tasks; some may have no row.
        variance: of the offsets; 0 for none.
    """
    if not logits.is_binary:
        return _temperature(logits, n_tasks)
    values = logits.values[:, 0]
    n_own = n_tasks if variance > 0 else 0

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slope, shift, own = parameters[0], parameters[1], parameters[2:]
        odds = slope * values + shift + (own[logits.tasks] if n_own else 0.0)
        margins = np.where(
            logits.targets > 0,
            odds,
            -odds,
        )
        errors = logits.weights * (expit(odds) - (logits.targets > 0))
        penalty = (slope - 1) ** 2 + shift**2 + (own @ own / variance if n_own else 0.0)
        gradient = np.zeros(len(parameters))
        gradient[0] = errors @ values + slope - 1
        gradient[1] = errors.sum() + shift
        if n_own:
            of_tasks = np.bincount(
                logits.tasks,
                weights=errors,
                minlength=n_tasks,
            )
            gradient[2:] = of_tasks + own / variance
        return float(-logits.weights @ log_expit(margins) + penalty / 2), gradient

    begin = np.append([1.0, 0.0], np.zeros(n_own))
    bounds = [SLOPES] + [(None, None)] * (1 + n_own)
    found = minimize(
        loss,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
    )
    offsets = found.x[2:] if n_own else np.zeros(n_tasks)
    return Line(
        float(found.x[0]),
        float(found.x[1]),
        offsets,
    )


def calibrated_line(logits: Logits, n_tasks: int) -> Line:
    """The line that calibrates best, or none where nothing is shown to be gained.

    Each kind of line is fitted to the units of all folds but one and judged by the rest. The best
    is taken where it betters the probabilities as they are by more than the standard error of that
    difference over units: a gain that rows hardly bear out is as often a loss on others.

    Args:
        logits: held-out rows.
        n_tasks: of all tasks.
    """
    codes = np.unique(logits.units, return_inverse=True)[1].reshape(-1)
    n_units = int(codes.max()) + 1
    if n_units < 2 * N_FOLDS:
        return unchanged(n_tasks)
    fold = np.random.default_rng(SEED).permutation(n_units)[codes] % N_FOLDS
    before = _losses(logits, unchanged(n_tasks))
    best: float | None = None
    best_gains: np.ndarray = np.zeros(n_units)
    for variance in OFFSET_VARIANCES if logits.is_binary else (0.0,):
        after = np.empty(len(before))
        for number in range(N_FOLDS):
            line = fit_line(
                logits.where(fold != number),
                n_tasks,
                variance,
            )
            after[fold == number] = _losses(logits.where(fold == number), line)
        gains: np.ndarray = np.bincount(
            codes,
            weights=before - after,
            minlength=n_units,
        )
        if gains.sum() > best_gains.sum():
            best, best_gains = variance, gains
    error = np.sqrt(n_units) * best_gains.std()
    if best is None or best_gains.sum() <= error:
        return unchanged(n_tasks)
    return fit_line(
        logits,
        n_tasks,
        best,
    )


def _temperature(logits: Logits, n_tasks: int) -> Line:
    """The slope alone; over its logarithm, in which the loss has one minimum."""

    def loss(log_slope: Any) -> float:
        slope = float(np.exp(log_slope[0]))
        line = Line(
            slope,
            0.0,
            np.zeros(n_tasks),
        )
        return float(_losses(logits, line).sum() + (slope - 1) ** 2 / 2)

    bounds = [tuple(np.log(SLOPES))]
    found = minimize(
        loss,
        np.zeros(1),
        method="L-BFGS-B",
        bounds=bounds,
    )
    return Line(
        float(np.exp(found.x[0])),
        0.0,
        np.zeros(n_tasks),
    )


def _losses(logits: Logits, line: Line) -> np.ndarray:
    """The log loss of every row, as much as it counts, ``(N,)``."""
    values = line(logits.values, logits.tasks)
    if logits.is_binary:
        margins = np.where(
            logits.targets > 0,
            values[:, 0],
            -values[:, 0],
        )
        return np.asarray(-logits.weights * log_expit(margins))
    of_right = values[np.arange(len(values)), logits.targets.astype(np.int64)]
    return np.asarray(logits.weights * (logsumexp(values, axis=1) - of_right))
