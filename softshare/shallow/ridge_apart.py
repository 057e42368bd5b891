"""Ridge or logistic regression of each task by itself; only the strength is chosen together."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from sklearn.base import BaseEstimator

from softshare.shallow.folds import fold_of_rows
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
    task_codes,
)

# Prior precisions of the coefficients; the last leaves each task little but its own mean.
STRENGTHS = tuple(10.0 ** np.arange(-1.0, 4.01, 0.5))
# Of a log-odds intercept around the log-odds of the task's own rate (half a row added to each
# class): just enough to hold it where a task has seen one class.
INTERCEPT_PRECISION = 0.1


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
    ) -> RidgeApart:
        """Choose the strength on held-out rows, then fit each task's rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).

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
        )
        self.tasks_ = rows.names
        self.scaling_ = Scaling.of(rows.inputs)
        rows = rows.with_inputs(self.scaling_(rows.inputs))
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        outputs = _held_out(rows, folds)
        losses = self._losses(rows, folds, outputs)  # (F, T, strengths)
        best = np.argmin(losses.sum(axis=0), axis=-1)  # (T,)
        self.strengths_ = np.array(STRENGTHS)[best]
        self.held_out_ = self._by_others(rows, folds, outputs, losses)
        everyone = _constant(one_vs_rest(rows), rows.inputs.shape[1], rows.kind)
        coefficients = [everyone] * (rows.n_tasks + 1)
        for task in range(rows.n_tasks):
            own = rows.take(rows.tasks == task)
            coefficients[task] = _fits(own, (self.strengths_[task],))[0]
        self.coef_ = np.stack(coefficients)
        return self

    def _losses(self, rows: Rows, folds: Codes, outputs: Array) -> Array:
        """Each fold's and task's summed loss for each strength. Shape (F, T, strengths).

        With one strength for all tasks every task has the sum over them.
        """
        losses = np.zeros((int(folds.max()) + 1, rows.n_tasks, len(STRENGTHS)))
        # A row whose task has no other says nothing of the strength.
        is_said = np.isfinite(outputs).all(axis=(1, 2))
        for place in range(len(STRENGTHS)):
            said = outputs[is_said, place]
            own = row_losses(_shaped(said, rows.kind), rows.targets[is_said], rows.kind)
            np.add.at(losses[:, :, place], (folds[is_said], rows.tasks[is_said]), own)
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
            others_rows = one_vs_rest(rows)[folds != fold]
            if unsaid.any():
                said[unsaid] = _constant(others_rows, rows.inputs.shape[1], rows.kind)[-1]
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
            fits = np.stack(_fits(rows.take(learned), STRENGTHS))  # (strengths, p + 1, C)
            said = np.einsum("np,spc->nsc", rows.inputs[held], fits[:, :-1])
            outputs[held] = said + fits[:, -1]
    return outputs


def _shaped(outputs: Array, kind: Kind) -> Array:
    """Shape: (N, C) to itself of ``multiclass``, else to (N,)."""
    return outputs if kind == "multiclass" else outputs[:, 0]


def _outputs(inputs: Array, coefficients: Array) -> Array:
    """Shapes: (n, p) and (p + 1, C) to (n, C)."""
    return np.asarray(inputs @ coefficients[:-1] + coefficients[-1])


def _constant(targets: Array, n_inputs: int, kind: Kind) -> Array:
    """The mean, or the log-odds of the rate, as an intercept alone. Shape (p + 1, C)."""
    coefficients = np.zeros((n_inputs + 1, targets.shape[1]))
    if kind == "regression":
        coefficients[-1] = targets.mean(axis=0)
    else:
        # Half a row more of each class: a task with one class has no infinite log-odds.
        rates = (targets.sum(axis=0) + 0.5) / (len(targets) + 1)
        coefficients[-1] = logit(rates)
    return coefficients


def _fits(own: Rows, strengths: tuple[float, ...]) -> list[Array]:
    """One task's coefficients for every strength, in one rotation of its rows.

    Classes are fitted from the strongest to the weakest: each fit starts where the last one ended,
    which is near. Newton's method needs fewer steps, and none so long that it runs away, as it can
    where a class is rare and it starts from the rate alone.

    Shape of each: (p + 1, C).
    """
    targets = one_vs_rest(own)
    centre = own.inputs.mean(axis=0)
    # Rows see inputs only through at most n directions: (n, m), (m,), (m, p) with m ≤ n.
    U, lengths, directions = np.linalg.svd(own.inputs - centre, full_matrices=False)
    constant = _constant(targets, own.inputs.shape[1], own.kind)
    nearest = np.zeros((len(lengths), targets.shape[1]))
    nearest = np.vstack([nearest, constant[-1]])
    fits = {}
    for strength in sorted(strengths, reverse=True):
        coefficients = constant.copy()
        if own.kind == "regression":
            shrunk = lengths / (lengths**2 + strength)
            turned = shrunk[:, None] * (U.T @ targets)  # (m, C)
        else:
            nearest = _logistic(U * lengths, targets, strength, constant[-1], nearest)
            turned, coefficients[-1] = nearest[:-1], nearest[-1]
        coefficients[:-1] = directions.T @ turned
        coefficients[-1] -= centre @ coefficients[:-1]
        fits[strength] = coefficients
    return [fits[strength] for strength in strengths]


def _logistic(
    inputs: Array,
    labels: Array,
    strength: float,
    centre: Array,
    start: Array,
) -> Array:
    """Newton's method for each class. Shapes: (n, m), (n, C), (C,), (m + 1, C) to (m + 1, C)."""
    ones = np.ones(len(inputs))
    design = np.column_stack([inputs, ones])
    n_columns = design.shape[1]
    penalty = np.full(n_columns, strength)
    penalty[-1] = INTERCEPT_PRECISION
    found = start.copy()
    for column in range(labels.shape[1]):
        prior = np.zeros(n_columns)
        prior[-1] = centre[column]
        beta = found[:, column]
        for _ in range(20):
            mean = expit(design @ beta)
            pull = penalty * (beta - prior)
            slope = design.T @ (labels[:, column] - mean) - pull
            weights = np.maximum(mean * (1 - mean), 1e-6)
            curvature = (design.T * weights) @ design + np.diag(penalty)
            step = np.linalg.solve(curvature, slope)
            beta += step
            if np.abs(step).max() < 1e-6:
                break
    return found
