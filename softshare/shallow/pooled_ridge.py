"""One linear model for all tasks and a shrunk offset for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.special import expit
from sklearn.base import BaseEstimator

from softshare.shallow.folds import coordinate_search, fold_of_rows
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    Scaling,
    checked_inputs,
    checked_rows,
    one_vs_rest,
    row_losses,
    sums_by_task,
    task_codes,
)

# The prior precision of a coefficient over that of the noise (of classes: as it is).
STRENGTHS = tuple(10.0 ** np.arange(-2.0, 4.01, 0.5))
# The variance of the tasks' offsets: over the noise's (regression), or of the log-odds (classes).
OFFSET_VARIANCES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class _Coefficients:
    """β with the intercept last, shape (p + 1,), and the tasks' offsets, shape (T,)."""

    fixed: Array
    offsets: Array

    def outputs(self, design: Array, tasks: Codes) -> Array:
        own = np.append(self.offsets, 0.0)  # position −1: a task that was never seen
        return np.asarray(design @ self.fixed + own[tasks])


class PooledRidge(BaseEstimator):
    """Ridge or logistic regression on all tasks' rows, with one shrunk offset a task.

    y = xβ + b + u_t, where β has the prior N(0, σ²/λ) and u_t ~ N(0, r σ²). Both strengths are
    chosen by cross-validation over all rows, r = 0 (no offsets) included. Offsets are eliminated
    task by task, so that a thousand tasks cost what one costs.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass`` (one problem a class).
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn to choose the strengths.
        random_state: Draws the parts.

    Attributes:
        coef_: Of inputs of standard deviation 1. Shape (C, p), C = 1 unless ``multiclass``.
        intercept_: Shape (C,).
        offsets_: Shape (T, C), in the order of ``tasks_``.
        strength_: λ.
        offset_variance_: r.
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.n_classes = n_classes
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        tasks: ArrayLike,
        groups: ArrayLike | None = None,
    ) -> PooledRidge:
        """Choose both strengths on held-out rows, then fit all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).

        Raises:
            ValueError: If shapes or values are wrong.
        """
        rows = checked_rows(
            X,
            y,
            tasks,
            groups,
            kind=self.kind,
            n_classes=self.n_classes,
        )
        self.tasks_ = rows.names
        self.scaling_ = Scaling.of(rows.inputs)
        rows = rows.with_inputs(_with_intercept(self.scaling_(rows.inputs)))
        self.strength_, self.offset_variance_ = self._chosen(rows)
        fits = fit_classes(rows, self.strength_, self.offset_variance_)
        self.coef_ = np.stack([fit.fixed[:-1] for fit in fits])
        self.intercept_ = np.array([fit.fixed[-1] for fit in fits])
        self.offsets_ = np.stack([fit.offsets for fit in fits], axis=1)
        return self

    def _chosen(self, rows: Rows) -> tuple[float, float]:
        """The strengths with the least loss on held-out rows."""
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        held_out = [folds == fold for fold in np.unique(folds)]
        parts = [(rows.take(~held), rows.take(held)) for held in held_out]
        parts = [_rotated(train, held) for train, held in parts if len(train.targets)]

        def loss(strength: float, variance: float) -> float:
            total = 0.0
            for train, held in parts:
                fits = fit_classes(train, strength, variance, tolerance=1e-3)
                outputs = [fit.outputs(held.inputs, held.tasks) for fit in fits]
                stacked = outputs[0] if rows.n_classes == 1 else np.stack(outputs, axis=1)
                total += float(row_losses(stacked, held.targets, rows.kind).sum())
            return total

        strength, variance = coordinate_search(
            loss, (STRENGTHS, OFFSET_VARIANCES), start=(10.0, 0.1)
        )
        return strength, variance

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has the offset 0.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        own = np.vstack([self.offsets_, np.zeros(self.offsets_.shape[1])])
        outputs = inputs @ self.coef_.T + self.intercept_ + own[task_codes(tasks, self.tasks_)]
        return outputs if self.kind == "multiclass" else outputs[:, 0]


def _with_intercept(inputs: Array) -> Array:
    """Inputs and a last column of ones. Shape (N, p + 1)."""
    return np.hstack([inputs, np.ones((len(inputs), 1))])


def _rotated(train: Rows, held: Rows) -> tuple[Rows, Rows]:
    """Rows with no more inputs than there are training rows.

    A ridge sees inputs only through their products: where p > N, N rotated inputs do as well.
    """
    if train.inputs.shape[1] <= len(train.targets):
        return train, held
    inputs = train.inputs[:, :-1]
    directions = np.linalg.svd(inputs, full_matrices=False)[2].T  # (p, N)
    fewer = _with_intercept(inputs @ directions)
    held_fewer = _with_intercept(held.inputs[:, :-1] @ directions)
    return train.with_inputs(fewer), held.with_inputs(held_fewer)


def fit_classes(
    rows: Rows,
    strength: float,
    variance: float,
    *,
    tolerance: float = 1e-8,
) -> list[_Coefficients]:
    """The penalised fit of every class (of the values, where there are no classes).

    Args:
        rows: With a last input of ones.
        strength: λ.
        variance: r.
        tolerance: Largest change of an output at which Newton's method stops.
    """
    columns = one_vs_rest(rows).T
    if rows.kind == "regression":
        ones = np.ones(len(rows.targets))
        return [
            _weighted_fit(
                rows,
                columns[0],
                ones,
                strength,
                variance,
            )
        ]
    return [
        _logistic_fit(
            rows,
            column,
            strength,
            variance,
            tolerance,
        )
        for column in columns
    ]


def _weighted_fit(
    rows: Rows,
    response: Array,
    weights: Array,
    strength: float,
    variance: float,
) -> _Coefficients:
    """Least Σ w (y − xβ − u_t)² + λ |β|² + Σ u_t² / r, by eliminating the offsets.

    With sums over a task's rows n_t = Σ w, s_t = Σ w x, m_t = Σ w y, an offset is
    u_t = r / (1 + r n_t) · (m_t − s_t β), which leaves p + 1 equations.
    """
    X = rows.inputs
    weighted = X * weights[:, None]
    n_tasks = rows.n_tasks
    counts = np.bincount(rows.tasks, weights, minlength=n_tasks)  # (T,)
    means = np.bincount(rows.tasks, weights * response, minlength=n_tasks)  # (T,)
    sums = sums_by_task(weighted, rows.tasks, n_tasks)  # (T, p + 1)
    pulled = variance / (1 + variance * counts)
    products = X.T @ weighted - sums.T @ (pulled[:, None] * sums)
    right = weighted.T @ response - sums.T @ (pulled * means)
    penalty = np.full(X.shape[1], strength)
    penalty[-1] = 1e-8  # the intercept is free, but for equations that always have an answer
    products[np.diag_indices_from(products)] += penalty
    fixed = linalg.solve(products, right, assume_a="pos", check_finite=False)
    return _Coefficients(fixed, pulled * (means - sums @ fixed))


def _logistic_fit(
    rows: Rows,
    labels: Array,
    strength: float,
    variance: float,
    tolerance: float,
) -> _Coefficients:
    """Newton's method for the penalised logistic regression, as repeated weighted least squares.

    The penalised intercept of one class alone runs away slowly: twelve steps are enough for
    six digits elsewhere, and log-odds are held within ±15.
    """
    rate = (labels.sum() + 0.5) / (len(labels) + 1)
    outputs = np.full(len(labels), np.log(rate / (1 - rate)))
    for _ in range(25):
        mean = expit(outputs)
        weights = np.maximum(mean * (1 - mean), 1e-6)
        response = outputs + (labels - mean) / weights
        fit = _weighted_fit(
            rows,
            response,
            weights,
            strength,
            variance,
        )
        new = fit.outputs(rows.inputs, rows.tasks).clip(-15, 15)
        change = np.abs(new - outputs).max()
        outputs = new
        if change < tolerance:
            break
    return fit
