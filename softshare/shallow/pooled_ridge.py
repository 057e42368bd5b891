"""One linear model for all tasks and a shrunk offset for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from softshare.shallow.folds import Choice, fold_of_rows, search_by_folds
from softshare.shallow.pooled_fits import HeldOutPart, fit_classes, with_intercept
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    Scaling,
    checked_inputs,
    checked_rows,
    task_codes,
    weighted_losses,
)

# The prior precision of a coefficient over that of the noise (of classes: as it is).
STRENGTHS = tuple(10.0 ** np.arange(-2.0, 4.01, 0.5))
# The variance of the tasks' offsets: over the noise's (regression), or of the log-odds (classes).
OFFSET_VARIANCES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


class PooledRidge(BaseEstimator):
    """Ridge or logistic regression on all tasks' rows, with one shrunk offset a task.

    y = xβ + b + u_t, where β has the prior N(0, σ²/λ) and u_t ~ N(0, r σ²). Both strengths are
    chosen by cross-validation over all rows, r = 0 (no offsets) included. Offsets are eliminated
    task by task, so that a thousand tasks cost what one costs.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass`` (one part a class).
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn to choose the strengths.
        random_state: Draws the parts.

    Attributes:
        coef_: Of inputs of standard deviation 1. Shape (C, p), C = 1 unless ``multiclass``.
        intercept_: Shape (C,).
        offsets_: Shape (T, C), in the order of ``tasks_``.
        strength_: λ.
        offset_variance_: r.
        held_out_: What fits without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
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
        weights: ArrayLike | None = None,
    ) -> PooledRidge:
        """Choose both strengths on held-out rows, then fit all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).
            weights: A row of weight 2 counts as two of them. Shape (N,).

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
            weights=weights,
        )
        self.tasks_ = rows.names
        self.scaling_ = Scaling.of(rows.inputs, rows.weights)
        rows = rows.with_inputs(with_intercept(self.scaling_(rows.inputs)))
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        choice, self.held_out_ = self._chosen(rows, folds)
        self.strength_, self.offset_variance_ = choice.best
        fits = fit_classes(rows, self.strength_, self.offset_variance_)
        self.coef_ = np.stack([fit.fixed[:-1] for fit in fits])
        self.intercept_ = np.array([fit.fixed[-1] for fit in fits])
        self.offsets_ = np.stack([fit.offsets for fit in fits], axis=1)
        return self

    def _chosen(self, rows: Rows, folds: Codes) -> tuple[Choice, Array]:
        """The strengths with the least loss on held-out rows, and what is said of these."""
        parts = []
        for fold in range(int(folds.max()) + 1):
            held = folds == fold
            # One row alone trains what is said of itself, and any strength will do.
            trains = ~held if not held.all() else held
            parts.append(HeldOutPart.of(rows.take(trains), rows.take(held)))

        def losses(strength: float, variance: float) -> Array:
            by_fold = []
            for part in parts:
                outputs = part.outputs(strength, variance)
                own = weighted_losses(outputs, part.held)
                by_fold.append(float(own.sum()))
            return np.array(by_fold)

        choice = search_by_folds(losses, (STRENGTHS, OFFSET_VARIANCES), start=(10.0, 0.1))
        pairs = zip(parts, choice.by_others, strict=True)
        said = [part.outputs(*point) for part, point in pairs]
        held_out = np.empty((len(folds), *said[0].shape[1:]))
        for fold, outputs in enumerate(said):
            held_out[folds == fold] = outputs
        return choice, held_out

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has the offset 0.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        own = np.vstack([self.offsets_, np.zeros(self.offsets_.shape[1])])
        codes = task_codes(tasks, self.tasks_)
        common = inputs @ self.coef_.T + self.intercept_
        outputs = common + own[codes]
        return outputs if self.kind == "multiclass" else outputs[:, 0]
