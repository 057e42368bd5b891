"""A smooth function of each task by itself: kernel ridge, a support vector machine's equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from sklearn.base import BaseEstimator

from softshare.shallow.folds import Point, chosen_by_folds, fold_of_rows
from softshare.shallow.gaussian_process import held_out_values
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
)
from softshare.shallow.tempering import best_temper, tempered

# Inverse squared lengths, in units of the median squared distance of rows.
NEARNESS = (0.1, 0.4, 1.5, 6.0)
# The noise's variance beside that of the function.
NOISES = (0.003, 0.03, 0.3, 3.0)
# Every input to one scale, or all as they are: pixels that are seldom lit say little.
SCALINGS = (1.0, 0.0)
# The variance of a task's own mean beside that of the function.
OF_MEAN = 4.0
# So many rows of a task choose the kernel, and so many are learned from; others are left out.
ROWS_TO_CHOOSE = 500
MOST_ROWS = 3000
# Rows that are predicted at once.
BLOCK = 1000


class KernelApart(BaseEstimator):
    """Kernel ridge regression of each task: nothing passes between tasks but the kernel.

    Classes are fitted as values, each against the rest (a least-squares support vector machine),
    and turned into logits by what is said of rows held out. Tasks that see the same rows share
    their kernel's eigenvectors, so that a hundred target columns cost little more than one.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn to choose the kernel.
        random_state: Draws the parts.

    Attributes:
        kernel_: Whether inputs have one scale (1 or 0), nearness, and noise.
        seen_: Different sets of rows that tasks have learned from. Shape of each: (n, p).
        duals_: What each of these rows counts. Shape of each: (n, tasks of the set, C).
        places_: Each task's set of rows and place in its duals. Shape (T, 2).
        held_out_: What the other folds say of each row. Shape (N,), of ``multiclass`` (N, C).
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
    ) -> KernelApart:
        """Choose the kernel on all tasks' held-out rows, then fit each task's rows.

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
        targets = one_vs_rest(rows)
        self.centre_ = targets.mean(axis=0)
        self.scale_ = max(float(targets.std()), 1e-12)
        values = (targets - self.centre_) / self.scale_
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        generator = np.random.default_rng(self.random_state)
        sets = list(_sets_of_rows(rows, folds, values, generator))

        points = []
        for scaled, near in _kernels():
            points += [(scaled, near, noise) for noise in NOISES]
        losses = self._losses(sets, points)
        choice = chosen_by_folds(losses)
        self.kernel_ = choice.best
        left_out = self._learn(sets, choice.by_others, np.zeros_like(values))
        self.temper_ = best_temper(left_out, rows, self.centre_)
        self.held_out_ = self._answers(left_out)
        return self

    def _losses(self, sets: Sequence[_Set], points: Sequence[Point]) -> dict[Point, Array]:
        """Kernel → the sum of every fold's squared errors, of some rows of each set."""
        losses = {point: np.zeros(self.n_folds) for point in points}
        for whole in sets:
            few = whole.first(ROWS_TO_CHOOSE)
            for scaled, near in _kernels():
                inputs = self._scaled(few.inputs, scaled)
                spectrum = linalg.eigh(_covariance(inputs, inputs, near))
                for noise in NOISES:
                    inverse = _inverse(*spectrum, noise)
                    duals = inverse @ few.values
                    said = held_out_values(inverse, duals, few.values, few.folds)
                    missed = said - few.values
                    errors = (missed**2).sum(axis=1)
                    own = np.bincount(few.folds, errors, minlength=self.n_folds)
                    losses[scaled, near, noise] += own
        return losses

    def _learn(self, sets: Sequence[_Set], by_others: Sequence[Point], left_out: Array) -> Array:
        """Every set's duals; what is said of all rows without their folds, ``(N, C)``."""
        n_outputs = left_out.shape[1]
        self.seen_: list[Array] = []
        self.duals_: list[Array] = []
        n_tasks = len(self.tasks_)
        self.places_ = np.zeros((n_tasks, 2), dtype=np.int64)
        for number, whole in enumerate(sets):
            some = whole.first(MOST_ROWS)
            said = np.empty_like(whole.values)
            for point in {self.kernel_, *by_others}:
                scaled, near, noise = point
                inputs = self._scaled(some.inputs, scaled)
                covariance = _covariance(inputs, inputs, near)
                of_noise = noise * np.eye(len(inputs))
                inverse = linalg.inv(covariance + of_noise)
                duals = inverse @ some.values
                of_point = held_out_values(inverse, duals, some.values, some.folds)
                # Rows beyond the limit have had no part in the fit.
                beyond = whole.inputs[len(inputs) :]
                others = self._scaled(beyond, scaled)
                of_others = _covariance(others, inputs, near) @ duals
                of_point = np.vstack([of_point, of_others])
                folds = [fold for fold, other in enumerate(by_others) if other == point]
                mine = np.isin(whole.folds, folds)
                said[mine] = of_point[mine]
                if point == self.kernel_:
                    self.seen_.append(inputs)
                    self.duals_.append(duals.reshape(len(inputs), -1, n_outputs))
            for place, task in enumerate(whole.tasks):
                self.places_[task] = number, place
                begin = place * n_outputs
                end = begin + n_outputs
                positions = whole.positions[place]
                left_out[positions] = said[:, begin:end]
        return left_out

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; of a task never seen the mean of all rows.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        scaled, near, _ = self.kernel_
        inputs = self._scaled(checked_inputs(X), scaled)
        codes = task_codes(tasks, self.tasks_)
        outputs = np.zeros((len(inputs), len(self.centre_)))
        for task in np.unique(codes[codes >= 0]):
            number, place = self.places_[task]
            mine = np.flatnonzero(codes == task)
            for begin in range(0, len(mine), BLOCK):
                some = mine[begin : begin + BLOCK]
                covariance = _covariance(inputs[some], self.seen_[number], near)
                outputs[some] = covariance @ self.duals_[number][:, place]
        return self._answers(outputs)

    def _scaled(self, inputs: Array, scaled: float) -> Array:
        """Inputs in units of each, or of all of them."""
        if scaled:
            return self.scaling_(inputs)
        spread = self.scaling_.scale[np.isfinite(self.scaling_.scale)]
        unit = float(np.sqrt((spread**2).mean())) if len(spread) else 1.0
        return (inputs - self.scaling_.mean) / unit

    def _answers(self, outputs: Array) -> Array:
        """Outputs in the targets' unit, or logits. Shape: (n, C) to (n,) or (n, C)."""
        if self.kind == "regression":
            values = self.centre_ + self.scale_ * outputs
            return np.asarray(values)[:, 0]
        return tempered(outputs, self.centre_, self.temper_, self.kind)


@dataclass(frozen=True)
class _Set:
    """Tasks that see the same rows, in the same folds, shuffled.

    Attributes:
        tasks: their numbers.
        positions: of each task's rows among all, ``(tasks, n)``.
        inputs: ``(n, p)``.
        values: of each task's outputs, side by side, ``(n, tasks · C)``.
        folds: ``(n,)``.
    """

    tasks: list[int]
    positions: Codes
    inputs: Array
    values: Array
    folds: Codes

    def first(self, n_rows: int) -> _Set:
        """So many of the rows."""
        kept = slice(n_rows)
        return _Set(
            self.tasks,
            self.positions[:, kept],
            self.inputs[kept],
            self.values[kept],
            self.folds[kept],
        )


def _sets_of_rows(
    rows: Rows, folds: Codes, values: Array, generator: np.random.Generator
) -> Iterator[_Set]:
    """Every set of rows that one or several tasks see."""
    positions_of: dict[bytes, list[tuple[int, Codes]]] = {}
    for task in range(rows.n_tasks):
        own = np.flatnonzero(rows.tasks == task)
        inputs = rows.inputs[own]
        key = inputs.tobytes() + folds[own].tobytes()
        positions_of.setdefault(key, []).append((task, own))
    for members in positions_of.values():
        _, first = members[0]
        shuffled = generator.permutation(len(first))
        positions = np.stack([own[shuffled] for _, own in members])
        side_by_side = np.hstack([values[own] for own in positions])
        yield _Set(
            [task for task, _ in members],
            positions,
            rows.inputs[positions[0]],
            side_by_side,
            folds[positions[0]],
        )


def _kernels() -> Iterator[tuple[float, float]]:
    for scaled in SCALINGS:
        for near in NEARNESS:
            yield scaled, near


def _covariance(first: Array, second: Array, near: float) -> Array:
    """Of two rows of a task, a function's and its mean's. Shape (n, m)."""
    of_first = (first**2).sum(axis=1)
    of_second = (second**2).sum(axis=1)
    products = first @ second.T
    squares = of_first[:, None] + of_second - 2 * products
    # Inputs of variance 1 are 2 p apart, squared.
    unit = 2 * max(first.shape[1], 1)
    distances = np.maximum(squares, 0) / unit
    of_function = np.exp(-near * distances)
    return np.asarray(of_function + OF_MEAN)


def _inverse(values: Array, vectors: Array, noise: float) -> Array:
    """Of a covariance with noise, from its eigenvectors. Shape (n, n)."""
    lengths = np.maximum(values, 0) + noise
    return np.asarray((vectors / lengths) @ vectors.T)
