"""The squared and the logistic loss of T linear models, as sums over all rows.

Both are functions of the weights alone: each task's unpenalised intercept takes its best value for
them. Both know a lower bound of themselves plus any penalty, from Fenchel's duality, which tells
how far from the optimum given weights are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import entr, expit

from softshare.shallow.moments import Moments, Quadratic, moments, weighted_moments
from softshare.shallow.task_rows import TaskRows

LEAST_WEIGHT = 1e-10
"""Of a row in Newton's model of the logistic loss: p (1 − p) of a margin of 23."""


@dataclass(frozen=True)
class LossPoint:
    """A loss at some weights W.

    Attributes:
        value: ``f(W)``.
        gradient: ``∇f(W)``, ``(T, D)``.
        intercepts: the best ones for W, ``(T,)``.
        dual: for a scale s in [0, 1] the value ``−f*(s θ)``, where θ is the loss's derivative by
            the margins; with a penalty Ω, ``−f*(s θ) − Ω*(−s ∇f(W))`` bounds the optimum from
            below.
        model: the quadratic that touches the loss here, up to a constant.
    """

    value: float
    gradient: np.ndarray
    intercepts: np.ndarray
    dual: Callable[[float], float]
    model: Callable[[], Quadratic]


class TaskLoss(ABC):
    """A convex loss of the weights of T linear models."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Tasks and features."""

    @abstractmethod
    def at(self, coef: np.ndarray) -> LossPoint:
        """The loss at these weights, ``(T, D)``."""


class SquaredLoss(TaskLoss):
    """``½ Σ_t ‖X_t w_t + b_t − y_t‖²``, from the moments of the rows alone."""

    def __init__(
        self,
        sums: Moments,
        *,
        intercept: bool,
    ) -> None:
        self.sums = sums
        self.intercept = intercept
        free = np.full(len(sums.weight), intercept)
        self.quadratic = sums.quadratic(free)

    @classmethod
    def of(
        cls,
        rows: TaskRows,
        *,
        intercept: bool,
    ) -> SquaredLoss:
        """The loss of these rows."""
        return cls(moments(rows), intercept=intercept)

    @property
    def shape(self) -> tuple[int, int]:
        n_tasks, n_features = self.sums.x.shape
        return n_tasks, n_features

    def at(self, coef: np.ndarray) -> LossPoint:
        quadratic = self.quadratic
        value = quadratic.value(coef)
        # With residuals r = X W − y: F*(s r) = ½ s² ‖r‖² + s ⟨r, y⟩.
        residual_by_target = float(np.vdot(coef, quadratic.linear)) - quadratic.constant

        def dual(scale: float) -> float:
            return -(scale**2) * value - scale * residual_by_target

        intercepts = np.zeros(len(coef))
        if self.intercept:
            intercepts = self.sums.intercepts(coef)
        return LossPoint(
            value,
            gradient=quadratic.gradient(coef),
            intercepts=intercepts,
            dual=dual,
            model=lambda: quadratic,
        )


class LogisticLoss(TaskLoss):
    """``Σ_t Σ_i log(1 + exp(m_i)) − y_i m_i`` of margins ``m_i = x_iᵀ w_t + b_t``, y in {0, 1}.

    An unpenalised intercept of a task that has seen one class only would be infinite: it is the
    logarithm of the odds ``(n_1 + ½) / (n_0 + ½)`` instead, whatever the weights.

    Args:
        rows: every task's.
        intercept: whether each task has a free one.
        given: what every row's margin has beside its product and intercept, ``(N,)``, task by task.
    """

    def __init__(
        self,
        rows: TaskRows,
        *,
        intercept: bool,
        given: np.ndarray | float = 0.0,
    ) -> None:
        self.rows = rows
        self.labels = np.concatenate(rows.targets)
        self.counts = rows.counts
        n_tasks = len(self.counts)
        self.task = np.repeat(np.arange(n_tasks), self.counts)  # (N,): each row's
        positive = self._sums(self.labels)
        negative = self.counts - positive
        odds = _log_odds(positive, negative)
        pooled = _log_odds(positive.sum(), negative.sum())
        odds = np.where(self.counts > 0, odds, pooled)
        both_classes = (positive > 0) & (negative > 0)
        self.free = both_classes & intercept
        self.start = odds if intercept else np.zeros(len(odds))
        self.given = given

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.counts), self.rows.inputs[0].shape[1]

    def at(self, coef: np.ndarray) -> LossPoint:
        # Rows of all tasks lie one after another, (N,): one call of each function serves them all.
        pairs = zip(self.rows.inputs, coef, strict=True)
        products = [inputs @ weights for inputs, weights in pairs]
        product = np.concatenate(products)
        intercepts = self._best_intercepts(product + self.given)
        offsets = intercepts[self.task] + self.given
        margins = product + offsets
        terms = np.logaddexp(0, margins) - self.labels * margins
        value = float(terms.sum())
        probability = expit(margins)
        slope = probability - self.labels  # θ
        gradient = np.empty_like(coef)
        for task, part in enumerate(self._by_task(slope)):
            gradient[task] = part @ self.rows.inputs[task]
        offset = float(slope @ offsets)

        def dual(scale: float) -> float:
            # F*(u) = q log q + (1 − q) log(1 − q) at q = u + y, and a given offset adds ⟨u, b⟩.
            mean = scale * slope + self.labels
            entropies = entr(mean) + entr(1 - mean)
            return float(entropies.sum()) + scale * offset

        def model() -> Quadratic:
            curvature = probability * (1 - probability)
            weight = np.maximum(curvature, LEAST_WEIGHT)
            # Free intercepts are profiled out; a given one stays out of the model's target.
            return self._model(weight, weight * product - slope)

        return LossPoint(
            value,
            gradient,
            intercepts,
            dual,
            model,
        )

    def _model(
        self,
        weight: np.ndarray,
        weighted_target: np.ndarray,
    ) -> Quadratic:
        weights = self._by_task(weight)
        targets = self._by_task(weighted_target)
        sums = weighted_moments(self.rows, weights, targets)
        return sums.quadratic(self.free)

    def _best_intercepts(self, product: np.ndarray) -> np.ndarray:
        """Newton's method in each task's intercept, all tasks at once.

        A step is at most 2: the loss is flat far from its minimum, where Newton's own is too long.
        """
        intercepts = self.start.copy()
        if not self.free.any():
            return intercepts
        for _ in range(100):
            probability = expit(product + intercepts[self.task])
            slope = self._sums(probability - self.labels)
            curvature = self._sums(probability * (1 - probability))
            step = slope / np.maximum(curvature, np.finfo(float).tiny)
            step = np.clip(step, -2, 2)
            intercepts -= np.where(self.free, step, 0)
            # A sum over n rows has a rounding error of some n times that of one of them.
            is_found = np.abs(slope) <= 1e-13 * self.counts
            if is_found[self.free].all():
                break
        return intercepts

    def _sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.task, values, minlength=len(self.counts))

    def _by_task(self, values: np.ndarray) -> list[np.ndarray]:
        """The rows' values, ``(N,)``, as one array for each task: views, not copies."""
        ends = np.cumsum(self.counts)[:-1]
        return np.split(values, ends)


def _log_odds(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Of counts of two classes, half a row added to each so that none is certain."""
    return np.asarray(np.log((positive + 0.5) / (negative + 0.5)))
