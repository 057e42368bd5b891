"""Extremely randomised trees of each task by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from softshare.shallow.folds import Point, chosen_by_folds, fold_of_rows
from softshare.shallow.grown_trees import of_forest
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    checked_inputs,
    checked_rows,
    task_codes,
    weighted_losses,
)
from softshare.shallow.tree_arrays import TreeArrays

ROWS_IN_LEAF = (1, 5)
TREES_TO_CHOOSE = 40
# Trees of fewer rows say little: such a task has its mean, a little drawn to that of all.
FEWEST_ROWS = 10
# So many rows the mean of all rows counts beside the task's own.
ROWS_OF_ALL = 1.0
# What is added to the chance of every class: no leaf's rate is certain.
UNLIKELY = 0.01


class ForestApart(BaseEstimator):
    """ExtraTrees of each task: nothing passes between tasks but the size of the leaves.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        n_trees: Trees of each task.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts of each task's rows that are held out in turn.
        random_state: Draws the parts and the trees.

    Attributes:
        rows_in_leaf_: The chosen least number of rows of a leaf.
        means_: Each task's mean or rates of classes, last those of all rows. Shape (T + 1, C).
        forests_: Task's number → its trees, as arrays that take inputs rounded to float32.
        held_out_: What trees without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        n_trees: int = 100,
        n_classes: int | None = None,
        n_folds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.n_trees = n_trees
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
    ) -> ForestApart:
        """Choose the size of leaves on all tasks' held-out rows, then fit each task's rows.

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
        self.n_outputs_ = rows.n_classes
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        self.means_ = self._means(rows)
        said = {leaf: self._said_without_folds(rows, folds, leaf) for leaf in ROWS_IN_LEAF}
        losses: dict[Point, Array] = {}
        for leaf, outputs in said.items():
            own = weighted_losses(self._answers(outputs), rows)
            by_fold = np.zeros(self.n_folds)
            np.add.at(by_fold, folds, own)
            losses[(float(leaf),)] = by_fold
        choice = chosen_by_folds(losses)
        self.rows_in_leaf_ = int(choice.best[0])
        held_out = np.empty_like(said[ROWS_IN_LEAF[0]])
        for fold, (leaf_of_fold,) in enumerate(choice.by_others):
            held = folds == fold
            held_out[held] = said[int(leaf_of_fold)][held]
        self.held_out_ = self._answers(held_out)
        self.forests_ = self._forests(rows, self.rows_in_leaf_, self.n_trees)
        return self

    def _said_without_folds(self, rows: Rows, folds: Codes, leaf: int) -> Array:
        """Means or chances by trees that have not seen a row's fold. Shape (N, C)."""
        said = np.empty((len(folds), self.means_.shape[1]))
        for fold in np.unique(folds):
            held = folds == fold
            others = rows.take(~held if not held.all() else held)
            forests = self._forests(others, leaf, TREES_TO_CHOOSE)
            means = self._means(others)
            inputs = rows.inputs[held]
            tasks = rows.tasks[held]
            said[held] = self._said(forests, means, inputs, tasks)
        return said

    def _forests(self, rows: Rows, leaf: int, n_trees: int) -> dict[int, TreeArrays]:
        """Task's number → its trees, of those with rows enough."""
        forests = {}
        counts = np.bincount(rows.tasks, minlength=rows.n_tasks)
        for task in np.flatnonzero(counts >= FEWEST_ROWS):
            mine = rows.tasks == task
            settings: dict[str, Any] = {
                "n_estimators": n_trees,
                "min_samples_leaf": leaf,
                "random_state": self.random_state,
            }
            own = rows.take(mine)
            make = ExtraTreesRegressor if rows.kind == "regression" else ExtraTreesClassifier
            forest = make(**settings).fit(own.inputs, own.targets, sample_weight=own.weights)
            columns = None if rows.kind == "regression" else forest.classes_.astype(int)
            forests[int(task)] = of_forest(forest, columns, self.means_.shape[1])
        return forests

    def _said(
        self,
        forests: Mapping[int, TreeArrays],
        means: Array,
        inputs: Array,
        codes: Codes,
    ) -> Array:
        """Means, or chances of classes. Shape (n, C)."""
        said = means[codes]  # the last is for position −1
        # Trees grow on inputs of single precision, and are asked with such.
        rounded = inputs.astype(np.float32).astype(np.float64)
        for task, forest in forests.items():
            mine = codes == task
            if mine.any():
                said[mine] = forest.outputs(rounded[mine])
        return said

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; of a task never seen the mean of all rows.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        codes = task_codes(tasks, self.tasks_)
        said = self._said(self.forests_, self.means_, checked_inputs(X), codes)
        return self._answers(said)

    def _means(self, rows: Rows) -> Array:
        """Each task's mean or rates, and last those of all rows. Shape (T + 1, C)."""
        targets = rows.targets[:, None]
        if rows.kind != "regression":
            n_classes = 2 if rows.kind == "binary" else self.n_outputs_
            targets = (targets == np.arange(n_classes)).astype(float)
        everyone = np.average(targets, axis=0, weights=rows.weights)
        means = np.tile(everyone, (rows.n_tasks + 1, 1))
        for task in np.unique(rows.tasks):
            mine = rows.tasks == task
            counts = rows.row_weights[mine]
            total = (counts[:, None] * targets[mine]).sum(axis=0) + ROWS_OF_ALL * everyone
            means[task] = total / (counts.sum() + ROWS_OF_ALL)
        return means

    def _answers(self, said: Array) -> Array:
        """Means, log-odds or one logit a class of what the trees say. Shape (n,) or (n, C)."""
        if self.kind == "regression":
            return said[:, 0]
        logs = np.log(said + UNLIKELY)
        if self.kind == "binary":
            return np.asarray(logs[:, 1] - logs[:, 0])
        return np.asarray(logs)
