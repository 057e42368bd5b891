"""Ridge or logistic regression of each task by itself; only the strength is chosen together."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from softshare.shallow.folds import fold_of_rows
from softshare.shallow.ridge_fits import constant, fits_of
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    Scaling,
    checked_inputs,
    checked_rows,
    one_vs_rest,
    task_codes,
    weighted_losses,
)

# Prior precisions of the coefficients; the last leaves each task little but its own mean.
STRENGTHS = tuple(10.0 ** np.arange(-1.0, 4.01, 0.5))


class RidgeApart(BaseEstimator):
    """The linear way to learn apart: nothing passes between tasks but the strength of shrinkage.

    Eight rows cannot choose their own strength: by default all tasks' held-out rows choose one.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass`` (one problem a class).
        strength: ``common`` chooses one strength by all tasks' held-out rows, ``own`` one a task.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn to choose the strength.
        random_state: Draws the parts.

    Attributes:
        coef_: Of inputs of standard deviation 1; the last is the intercept.
            Shape (T + 1, p + 1, C); the last row is for a task that was never seen.
        strengths_: Shape (T,).
        held_out_: What fits without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        strength: Literal["common", "own"] = "common",
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.strength = strength
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
    ) -> RidgeApart:
        """Choose the strength on held-out rows, then fit each task's rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).
            weights: A row of weight 2 counts as two of them. Shape (N,).

        Raises:
            ValueError: If shapes, values or ``strength`` are wrong.
        """
        if self.strength not in ("common", "own"):
            raise ValueError(f"strength must be common or own, not {self.strength!r}")
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
        rows = rows.with_inputs(self.scaling_(rows.inputs))
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        outputs = _held_out(rows, folds)
        losses = self._losses(rows, folds, outputs)  # (F, T, strengths)
        best = np.argmin(losses.sum(axis=0), axis=-1)  # (T,)
        self.strengths_ = np.array(STRENGTHS)[best]
        self.held_out_ = self._by_others(rows, folds, outputs, losses)
        everyone = constant(rows)
        coefficients = [everyone] * (rows.n_tasks + 1)
        for task in range(rows.n_tasks):
            own = rows.take(rows.tasks == task)
            coefficients[task] = fits_of(own, (self.strengths_[task],))[0]
        self.coef_ = np.stack(coefficients)
        return self

    def _losses(self, rows: Rows, folds: Codes, outputs: Array) -> Array:
        """Each fold's and task's summed loss for each strength. Shape (F, T, strengths).

        With one strength for all tasks every task has the sum over them.
        """
        n_folds = int(folds.max()) + 1
        losses = np.zeros((n_folds, rows.n_tasks, len(STRENGTHS)))
        # A row whose task has no other says nothing of the strength.
        is_said = np.asarray(np.isfinite(outputs).all(axis=(1, 2)))
        told = rows.take(is_said)
        for place in range(len(STRENGTHS)):
            said = outputs[is_said, place]
            own = weighted_losses(_shaped(said, rows.kind), told)
            np.add.at(losses[:, :, place], (folds[is_said], told.tasks), own)
        if self.strength == "common":
            losses = np.broadcast_to(losses.sum(axis=1, keepdims=True), losses.shape)
        return losses

    def _by_others(self, rows: Rows, folds: Codes, outputs: Array, losses: Array) -> Array:
        """Held-out outputs with the strengths that the other folds choose. Shape (N,) or (N, C)."""
        others = losses.sum(axis=0) - losses
        best = np.argmin(others, axis=-1)  # (F, T)
        positions = np.arange(len(folds))
        said = outputs[positions, best[folds, rows.tasks]]  # (N, C)
        for fold in np.unique(folds):
            unsaid = (folds == fold) & ~np.isfinite(said).all(axis=1)
            if unsaid.any():
                said[unsaid] = constant(rows.take(folds != fold))[-1]
        return _shaped(said, rows.kind)

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; of a task never seen the mean of all rows.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        codes = task_codes(tasks, self.tasks_)
        outputs = np.empty((len(inputs), self.coef_.shape[2]))
        for task in np.unique(codes):
            mine = codes == task
            outputs[mine] = _outputs(inputs[mine], self.coef_[task])
        return _shaped(outputs, self.kind)


def _held_out(rows: Rows, folds: Codes) -> Array:
    """What a fit to the task's other folds says of each row for each strength.

    Shape:
        (N, strengths, C); NaN where the task has no rows in other folds.
    """
    n_outputs = one_vs_rest(rows).shape[1]
    outputs = np.full((len(folds), len(STRENGTHS), n_outputs), np.nan)
    for task in range(rows.n_tasks):
        mine = np.flatnonzero(rows.tasks == task)
        own_folds = folds[mine]
        for fold in np.unique(own_folds):
            held = mine[own_folds == fold]
            others = mine[own_folds != fold]
            if not len(others):
                continue
            learned = np.zeros(len(folds), dtype=bool)
            learned[others] = True
            fits = np.stack(fits_of(rows.take(learned), STRENGTHS))  # (strengths, p + 1, C)
            said = np.einsum("np,spc->nsc", rows.inputs[held], fits[:, :-1])
            outputs[held] = said + fits[:, -1]
    return outputs


def _shaped(outputs: Array, kind: Kind) -> Array:
    """Shape: (N, C) to itself of ``multiclass``, else to (N,)."""
    return outputs if kind == "multiclass" else outputs[:, 0]


def _outputs(inputs: Array, coefficients: Array) -> Array:
    """Shapes: (n, p) and (p + 1, C) to (n, C)."""
    return np.asarray(inputs @ coefficients[:-1] + coefficients[-1])
