"""Gradient-boosted trees that see the task as a category."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from softshare.shallow import boosted_trees
from softshare.shallow.boosted_trees import (
    MOST_CATEGORIES,
    Part,
    Settings,
    all_trees,
    grown,
    padded,
)
from softshare.shallow.folds import Point, chosen_by_folds, fold_of_rows
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    checked_inputs,
    checked_rows,
    task_codes,
)

CANDIDATES = (Settings(4, 10), Settings(8, 20), Settings(8, 5))


class Boosted(BaseEstimator):
    """Boosted trees on inputs and the task; size and number of trees by cross-validation.

    LightGBM where it is installed (``pip install 'softshare[boosted]'``), else scikit-learn's
    trees, which take up to 255 tasks. One thread, so that the same rows give the same trees.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        start: Trees start from a constant, or from a pooled ridge with shrunk offsets, whose
            residuals they learn (LightGBM only).
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn.
        random_state: Draws the parts.

    Attributes:
        settings_: The chosen size of the trees.
        rounds_: Their number.
        base_: What the trees start from; None of a constant.
        trees_: The trees of all rows, as arrays.
        held_out_: What trees without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        start: Literal["constant", "pooled-ridge"] = "constant",
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.start = start
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
    ) -> Boosted:
        """Choose size and number of trees on held-out rows, then fit all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).
            weights: How much each row counts, above 0. Shape (N,).

        Raises:
            ValueError: If shapes, values or ``start`` are wrong.
            ImportError: If LightGBM is missing and scikit-learn's trees do not suffice.
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
        self._check_start(rows.n_tasks)
        self.tasks_ = rows.names
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        self._choose(rows, folds)
        self.base_ = self._base(rows)
        starts = None if self.base_ is None else self.base_.held_out_
        self.trees_ = all_trees(rows, starts, self.settings_, self.rounds_)
        return self

    def _choose(self, rows: Rows, folds: Codes) -> None:
        """Size and number of trees by held-out rows, and what is said of these."""
        n_folds = int(folds.max()) + 1
        parts = [self._part(rows, folds == fold) for fold in range(n_folds)]
        trees = []
        losses: dict[Point, Array] = {}
        for size, settings in enumerate(CANDIDATES):
            of_parts = [grown(part, settings) for part in parts]
            trees.append(of_parts)
            curves = padded([one.losses for one in of_parts])
            for place in range(curves.shape[1]):
                losses[size, place + 1] = curves[:, place]
        choice = chosen_by_folds(losses)
        self.settings_ = CANDIDATES[int(choice.best[0])]
        self.rounds_ = int(choice.best[1])
        shape = (len(folds), rows.n_classes) if self.kind == "multiclass" else len(folds)
        self.held_out_ = np.empty(shape)
        for fold, (of_size, rounds) in enumerate(choice.by_others):
            of_fold = trees[int(of_size)][fold]
            self.held_out_[folds == fold] = of_fold.outputs(parts[fold], int(rounds))

    def _check_start(self, n_tasks: int) -> None:
        """The start must be known, and the trees at hand must suffice."""
        if self.start not in ("constant", "pooled-ridge"):
            raise ValueError(f"start must be constant or pooled-ridge, not {self.start!r}")
        if boosted_trees.lightgbm is None and (
            self.start != "constant" or n_tasks > MOST_CATEGORIES
        ):
            raise ImportError(
                f"boosted trees for more than {MOST_CATEGORIES} tasks or from pooled-ridge need "
                "LightGBM: pip install 'softshare[boosted]'"
            )

    def _base(self, rows: Rows) -> PooledRidge | None:
        """What the trees start from."""
        if self.start == "constant":
            return None
        base = PooledRidge(self.kind, n_classes=rows.n_classes, random_state=self.random_state)
        names = rows.names[rows.tasks]
        return base.fit(rows.inputs, rows.targets, names, rows.groups, rows.weights)

    def _part(self, rows: Rows, is_held: NDArray[np.bool_]) -> Part:
        """Training and held-out rows with the outputs to start from."""
        # One row alone trains what is said of itself.
        train = rows.take(~is_held if not is_held.all() else is_held)
        held = rows.take(is_held)
        base = self._base(train)
        if base is None:
            return Part(train, held, None, None)
        # A base is nearer to the targets that it was fitted on than to any others: trees must
        # learn what it misses on rows that it has not seen.
        return Part(train, held, base.held_out_, base.predict(held.inputs, held.names[held.tasks]))

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen is a missing category.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = checked_inputs(X)
        codes = task_codes(tasks, self.tasks_)
        outputs = self.trees_.outputs(inputs, codes)
        if self.base_ is not None:
            outputs = outputs + self.base_.predict(inputs, tasks)
        return outputs
