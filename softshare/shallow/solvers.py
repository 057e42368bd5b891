"""Newton's method over a loss, with an accelerated proximal gradient method inside.

A loss is replaced by the quadratic that touches it at the present weights, which needs one pass
over the rows; the quadratic plus the penalty is minimised from Gram matrices alone. The squared
loss is its own quadratic, so that its rows are read once.

        rows ──► quadratic at W ──► its minimiser with the penalty ──► step along the line
                      ▲                                                        │
                      └────────────────────── new W ◄──────────────────────────┘
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from softshare.shallow.fista import fista
from softshare.shallow.losses import LossPoint, TaskLoss
from softshare.shallow.moments import Quadratic
from softshare.shallow.penalties import TINY, ProximalPenalty

SUFFICIENT = 1e-4
"""The fraction of the predicted decrease that a step along the line must reach (Armijo)."""

ROUNDING = 1e-12
"""The relative change of an objective that may be rounding. Near the optimum the gap, which falls
with the residual, is still far above the error of the objective, which falls with its square.
"""


@dataclass(frozen=True)
class Solution:
    """Weights as the sum of parts.

    Attributes:
        parts: ``(parts, T, D)``.
        intercepts: ``(T,)``.
        optimality: the relative duality gap, or the relative norm of the gradient.
        n_iter: steps taken.
    """

    parts: np.ndarray
    intercepts: np.ndarray
    optimality: float
    n_iter: int

    @property
    def coef(self) -> np.ndarray:
        """The weights.

        Shape:
            ``(T, D)``.
        """
        return np.asarray(self.parts.sum(axis=0))


class Objective(ABC):
    """What is added to a loss, and how the two are minimised where the loss is quadratic."""

    n_parts = 1

    @abstractmethod
    def value(self, parts: np.ndarray) -> float:
        """The penalty."""

    @abstractmethod
    def optimality(self, point: LossPoint, parts: np.ndarray) -> float:
        """How far from the optimum the weights are, relative to the problem's scale."""

    @abstractmethod
    def minimise(
        self, quadratic: Quadratic, parts: np.ndarray, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Parts that minimise the quadratic plus the penalty, and the number of steps taken."""


class Proximal(Objective):
    """A penalty with a proximal operator: FISTA, and the duality gap as certificate."""

    def __init__(self, penalty: ProximalPenalty) -> None:
        self.penalty = penalty
        self.n_parts = penalty.n_parts

    def value(self, parts: np.ndarray) -> float:
        return self.penalty.value(parts)

    def optimality(self, point: LossPoint, parts: np.ndarray) -> float:
        """The gap between the objective and a lower bound, relative to the objective."""
        scale = self.penalty.feasible_scale(point.gradient)
        # Scaled, the loss's derivative is a point of the dual problem: its value is a bound.
        bound = point.dual(scale) - self.penalty.conjugate(scale * point.gradient)
        objective = point.value + self.penalty.value(parts)
        return max(objective - bound, 0.0) / max(objective, TINY)

    def minimise(
        self, quadratic: Quadratic, parts: np.ndarray, max_iter: int
    ) -> tuple[np.ndarray, int]:
        return fista(quadratic, self.penalty, parts, max_iter=max_iter)


class Apart(Objective):
    """``½ ridge ‖W‖_F²``: ridge regression of every task, least squares of the least norm at 0."""

    def __init__(self, ridge: float = 0.0) -> None:
        self.ridge = ridge

    def value(self, parts: np.ndarray) -> float:
        return self.ridge / 2 * float((parts**2).sum())

    def optimality(self, point: LossPoint, parts: np.ndarray) -> float:
        """The norm of the gradient, relative to the loss's terms in it."""
        coef = parts[0]
        gradient = point.gradient + self.ridge * coef
        return relative_norm(gradient, point, coef)

    def minimise(
        self, quadratic: Quadratic, parts: np.ndarray, max_iter: int
    ) -> tuple[np.ndarray, int]:
        curvature = quadratic.gram + self.ridge * np.eye(parts.shape[2])
        gradient = quadratic.gradient(parts[0]) + self.ridge * parts[0]
        gradient = gradient[:, :, None]  # (T, D, 1): T systems of one right side
        if self.ridge > 0:
            step = np.linalg.solve(curvature, gradient)
        else:  # the part of the weights that no row sees stays as it is
            step = np.linalg.pinv(curvature, rcond=1e-12, hermitian=True) @ gradient
        coef = parts[0] - step[:, :, 0]
        return coef[None], 1


def minimise(
    loss: TaskLoss,
    objective: Objective,
    *,
    start: np.ndarray | None = None,
    tol: float,
    max_iter: int,
) -> Solution:
    """Minimise a loss plus a penalty.

    Args:
        loss: of all tasks' weights.
        objective: the penalty.
        start: parts to start from; zero if None.
        tol: the optimality to reach.
        max_iter: most steps, counted over all quadratics.

    Warns:
        ConvergenceWarning: ``tol`` was not reached.
    """
    shape = (objective.n_parts, *loss.shape)
    parts = np.zeros(shape) if start is None else start
    point = loss.at(parts.sum(axis=0))
    optimality = objective.optimality(point, parts)
    n_iter = 0
    while optimality > tol and n_iter < max_iter:
        target, steps = objective.minimise(point.model(), parts, max_iter - n_iter)
        n_iter += steps
        moved = along_the_line(
            loss,
            objective,
            point,
            parts,
            target,
        )
        if moved is None:
            break  # rounding: the objective falls no further
        parts, point = moved
        optimality = objective.optimality(point, parts)
    warn_above(tol, optimality, n_iter)
    return Solution(parts, point.intercepts, optimality, max(n_iter, 1))


def warn_above(tol: float, optimality: float, n_iter: int) -> None:
    """Warn where an optimality was not reached."""
    if optimality <= tol:
        return
    warnings.warn(
        f"the optimality {optimality:.1e} after {n_iter} steps is above tol={tol:.1e}: raise "
        "max_iter, scale the features, or penalise more",
        ConvergenceWarning,
        stacklevel=3,
    )


def along_the_line(
    loss: TaskLoss,
    objective: Objective,
    point: LossPoint,
    parts: np.ndarray,
    target: np.ndarray,
) -> tuple[np.ndarray, LossPoint] | None:
    """Go towards a target, half as far each time, until the objective falls enough.

    Returns:
        The new parts and the loss there, or None where no step lowers the objective.
    """
    direction = target - parts
    before = point.value + objective.value(parts)
    slope = float(np.vdot(direction.sum(axis=0), point.gradient))
    predicted = slope + objective.value(target) - objective.value(parts)
    # A target that promises more than rounding upwards is no descent.
    rounding = ROUNDING * abs(before)
    if predicted > rounding:
        return None
    step = 1.0
    while step > 1e-10:
        reached = parts + step * direction
        there = loss.at(reached.sum(axis=0))
        after = there.value + objective.value(reached)
        if after <= before + SUFFICIENT * step * predicted + rounding:
            return reached, there
        step /= 2
    return None


def relative_norm(residual: np.ndarray, point: LossPoint, coef: np.ndarray) -> float:
    """The norm of a gradient of the objective relative to that of the loss's terms in it.

    The loss's gradient is a difference, ``G w − c`` in the squared case, of terms as large as the
    curvature times the weights.
    """
    model = point.model()
    curved = model.gradient(coef) - model.gradient(np.zeros_like(coef))  # G w
    scale = np.linalg.norm(curved) + np.linalg.norm(point.gradient)
    return float(np.linalg.norm(residual) / max(scale, TINY))
