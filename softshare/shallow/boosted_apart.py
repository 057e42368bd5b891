"""Boosted trees of each task by itself; only their number is chosen together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from sklearn.base import BaseEstimator

from softshare.shallow.boosted_trees import (
    Grown,
    KeptTrees,
    Part,
    Settings,
    all_trees,
    grown,
    log_chances,
    padded,
    with_category,
)
from softshare.shallow.folds import Point, chosen_by_folds, fold_of_rows
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    checked_inputs,
    checked_rows,
    one_vs_rest,
    task_codes,
)
from softshare.shallow.tree_arrays import joined

SIZE = Settings(8, 5)
# Trees of fewer rows divide nothing: such a task has its mean, a little drawn to that of all.
FEWEST_ROWS = 20
SURE = 7.0
# So many rows the mean of all rows counts beside the task's own.
ROWS_OF_ALL = 1.0


class BoostedApart(BaseEstimator):
    """The trees' way to learn apart: nothing passes between tasks but the number of trees.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts of each task's rows that are held out in turn.
        random_state: Draws the parts.

    Attributes:
        rounds_: The chosen number of trees.
        constants_: What is said of a task without trees, last of one never seen. Shape (T + 1, C).
        trees_: All tasks' trees, one task's after the other's; None where no task has any.
        first_tree_: Where each task's trees begin, and where the last one's end. Shape (T + 1,).
        seen_: The classes whose scores each task's trees add up to; None where their sums are the
            outputs. Shape (T, classes).
        held_out_: What trees without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        n_classes: int | None = None,
        n_folds: int = 3,
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
    ) -> BoostedApart:
        """Choose the number of trees on all tasks' held-out rows, then fit each task's rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).
            weights: How much each row counts, above 0. Shape (N,).

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
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        self.constants_ = _constants(rows)
        held_out = _constants_of_others(rows, folds)
        counts = np.bincount(rows.tasks, minlength=rows.n_tasks)
        large = [int(task) for task in np.flatnonzero(counts >= FEWEST_ROWS)]
        parts = {task: _parts(rows, task, folds) for task in large}
        trees = {task: [grown(part, SIZE) for part in parts[task]] for task in large}
        choice = chosen_by_folds(_losses(list(trees.values()), self.n_folds))
        self.rounds_ = int(choice.best[0])
        kept = {}
        for task in large:
            mine = rows.tasks == task
            kept[task] = all_trees(rows.take(mine), None, SIZE, self.rounds_)
            for fold, (rounds,) in enumerate(choice.by_others):
                held = mine & (folds == fold)
                if held.any():
                    said = trees[task][fold].outputs(parts[task][fold], int(rounds))
                    held_out[held] = self._bounded(said)
        self._keep(kept, rows.n_tasks)
        self.held_out_ = held_out if self.kind == "multiclass" else held_out[:, 0]
        return self

    def _keep(
        self,
        kept: Mapping[int, KeptTrees],
        n_tasks: int,
    ) -> None:
        """Put the trees of all tasks that have some into one set of arrays."""
        counts = np.zeros(n_tasks, dtype=np.int64)
        for task, trees in kept.items():
            counts[task] = len(trees.arrays.roots)
        self.first_tree_ = np.concatenate([[0], np.cumsum(counts)])
        self.trees_ = joined([trees.arrays for trees in kept.values()]) if kept else None
        seen = {task: trees.seen for task, trees in kept.items() if trees.seen is not None}
        self.seen_ = None
        if seen:
            width = len(next(iter(seen.values())))
            self.seen_ = np.zeros((n_tasks, width), dtype=bool)
            self.seen_[list(seen)] = list(seen.values())

    def predict(
        self,
        X: ArrayLike,
        tasks: ArrayLike,
    ) -> Array:
        """Means, log-odds, or one logit a class; of a task never seen the mean of all rows.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = checked_inputs(X)
        codes = task_codes(tasks, self.tasks_)
        outputs = self.constants_[codes]  # the last is for position −1
        design = with_category(inputs, codes)
        for task in np.flatnonzero(np.diff(self.first_tree_)):
            mine = codes == task
            if mine.any():
                outputs[mine] = self._of_trees(design[mine], int(task))
        return outputs if self.kind == "multiclass" else outputs[:, 0]

    def _of_trees(
        self,
        design: Array,
        task: int,
    ) -> Array:
        """What a task's trees say of its rows. Shape (n, C)."""
        assert self.trees_ is not None
        own = slice(self.first_tree_[task], self.first_tree_[task + 1])
        sums = self.trees_.outputs(design, own)
        return self._bounded(sums if self.seen_ is None else log_chances(sums, self.seen_[task]))

    def _bounded(self, outputs: Array) -> Array:
        """Columns; log-odds of a few rows of one class are not without bounds. Shape (n, C)."""
        columns = outputs.reshape(len(outputs), -1)
        return columns if self.kind == "regression" else columns.clip(-SURE, SURE)


def _constants(rows: Rows) -> Array:
    """Each task's mean, or log-odds of its rates, and last that of all rows. Shape (T + 1, C)."""
    targets = one_vs_rest(rows)
    weights = rows.row_weights
    everyone = np.average(
        targets,
        axis=0,
        weights=rows.weights,
    )
    constants = np.tile(everyone, (rows.n_tasks + 1, 1))
    for task in np.unique(rows.tasks):
        mine = rows.tasks == task
        own = weights[mine, None] * targets[mine]
        total = own.sum(axis=0) + ROWS_OF_ALL * everyone
        constants[task] = total / (weights[mine].sum() + ROWS_OF_ALL)
    if rows.kind == "regression":
        return constants
    return np.asarray(logit(constants.clip(1e-3, 1 - 1e-3)))


def _constants_of_others(rows: Rows, folds: Codes) -> Array:
    """For every row the constant that the rows of other folds have; of all where there are none.
    Shape (N, C).
    """
    constants: list[Array] = []
    for fold in range(int(folds.max()) + 1):
        others = folds != fold
        constants.append(_constants(rows.take(others) if others.any() else rows))
    return np.stack(constants)[folds, rows.tasks]


def _parts(
    rows: Rows,
    task: int,
    folds: Codes,
) -> list[Part]:
    """A task's rows, each fold held out in turn."""
    mine = rows.tasks == task
    parts = []
    for fold in range(int(folds.max()) + 1):
        held = mine & (folds == fold)
        others = mine & ~held
        # Where all of a task's rows are in one fold they train what is said of themselves, and
        # where none are in a fold the others stop at their own loss.
        train = rows.take(others if others.any() else mine)
        judge = rows.take(held if held.any() else others)
        parts.append(
            Part(
                train,
                judge,
                None,
                None,
            )
        )
    return parts


def _losses(trees: list[list[Grown]], n_folds: int) -> dict[Point, Array]:
    """Number of trees → the sum of every fold's losses over all tasks."""
    if not trees:
        return {(1.0,): np.zeros(n_folds)}
    curves = padded([of_fold.losses for of_task in trees for of_fold in of_task])
    by_task = curves.reshape(
        len(trees),
        n_folds,
        curves.shape[1],
    )
    totals = by_task.sum(axis=0)
    losses: dict[Point, Array] = {}
    for place in range(totals.shape[1]):
        losses[(place + 1.0,)] = totals[:, place]
    return losses
