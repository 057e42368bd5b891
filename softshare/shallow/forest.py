"""Extremely randomised trees that see the task by its shrunk mean target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from softshare.shallow.folds import Choice, fold_of_rows, search_by_folds
from softshare.shallow.grown_trees import of_forest
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    checked_inputs,
    checked_rows,
    one_vs_rest,
    sums_by_task,
    task_codes,
    weighted_losses,
)
from softshare.shallow.tree_arrays import TreeArrays

ROWS_IN_LEAF = (1, 3, 6, 12, 25)
# The share of inputs that a split chooses among.
INPUTS_TRIED = (0.3, 1.0)
# Enough rows to choose two settings by.
ROWS_TO_CHOOSE = 4000
TREES_TO_CHOOSE = 50
# No leaf's rate is certain: a hundredth of a row of every class beside its trees' rows.
UNCERTAIN = 0.01


class Forest(BaseEstimator):
    """ExtraTrees on inputs and the task's mean target, settings by cross-validation.

    A training row's task mean is taken without its own fold, and shrunk to the mean of all rows
    by the task's number of rows; otherwise the trees would read a row's target from its task.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        n_trees: Trees of the forest.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn.
        random_state: Draws the parts and the trees.

    Attributes:
        rows_in_leaf_: The chosen least number of rows of a leaf.
        inputs_tried_: The chosen share of inputs that a split looks at.
        task_means_: What the trees see of a task, last of one never seen. Shape (T + 1, C).
        forest_: The trees, as arrays that take inputs rounded to float32.
        held_out_: What trees without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        n_trees: int = 300,
        n_classes: int | None = None,
        n_folds: int = 5,
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
    ) -> Forest:
        """Choose the settings on held-out rows, then fit all rows.

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
        choice = search_by_folds(self._losses(rows), (ROWS_IN_LEAF, INPUTS_TRIED), start=(6, 1.0))
        leaf, share = choice.best
        self.rows_in_leaf_, self.inputs_tried_ = int(leaf), share
        self.task_means_, forest = self._trees(rows, leaf, share, self.n_trees)
        self.forest_ = self._arrays(forest)
        self.held_out_ = self._held_out(rows, choice)
        return self

    def _losses(self, rows: Rows) -> Callable[..., Array]:
        """A function of both settings: every fold's loss held out, of some thousand rows."""
        generator = np.random.default_rng(self.random_state)
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        drawn = generator.permutation(len(folds))[:ROWS_TO_CHOOSE]
        some = np.zeros(len(folds), dtype=bool)
        some[drawn] = True

        def losses(leaf: float, share: float) -> Array:
            sums = []
            for fold in range(int(folds.max()) + 1):
                held = some & (folds == fold)
                trees = self._trees(_others(rows, held, some), leaf, share, TREES_TO_CHOOSE)
                outputs = self._said(*trees, rows.inputs[held], rows.tasks[held])
                own = weighted_losses(outputs, rows.take(held))
                sums.append(float(own.sum()))
            return np.array(sums)

        return losses

    def _held_out(self, rows: Rows, choice: Choice) -> Array:
        """What trees without a row's fold say of it. Shape (N,) or (N, C)."""
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        everyone = np.ones(len(folds), dtype=bool)
        shape = (len(folds), rows.n_classes) if self.kind == "multiclass" else len(folds)
        outputs = np.empty(shape)
        for fold, (leaf, share) in enumerate(choice.by_others):
            held = folds == fold
            trees = self._trees(_others(rows, held, everyone), leaf, share, TREES_TO_CHOOSE)
            outputs[held] = self._said(*trees, rows.inputs[held], rows.tasks[held])
        return outputs

    def _trees(
        self,
        rows: Rows,
        leaf: float,
        share: float,
        n_trees: int,
    ) -> tuple[Array, Any]:
        """Every task's shrunk mean, and the trees that saw it as an input."""
        folds = fold_of_rows(rows, 5, self.random_state)
        own = np.empty((len(folds), rows.n_classes))
        for fold in np.unique(folds):
            held = folds == fold
            # Of one fold alone nothing is left out: a row's mean is then everyone's, by no rows.
            means = shrunk_means(rows.take(~held) if not held.all() else rows)
            own[held] = means[rows.tasks[held]]
        make = ExtraTreesRegressor if rows.kind == "regression" else ExtraTreesClassifier
        forest = make(
            n_trees,
            min_samples_leaf=int(leaf),
            max_features=share,
            random_state=self.random_state,
        )
        design = np.hstack([rows.inputs, own])  # (N, p + C)
        return shrunk_means(rows), forest.fit(design, rows.targets, sample_weight=rows.weights)

    def _said(
        self,
        means: Array,
        forest: Any,
        inputs: Array,
        codes: Codes,
    ) -> Array:
        """Outputs of scikit-learn's forest. Shape (N,) or (N, C)."""
        design = np.hstack([inputs, means[codes]])
        if self.kind == "regression":
            return np.asarray(forest.predict(design))
        chances = np.zeros((len(inputs), self._n_chances))
        chances[:, forest.classes_.astype(int)] = forest.predict_proba(design)
        return self._outputs(chances)

    @property
    def _n_chances(self) -> int:
        """How many numbers the trees say of a row."""
        return 2 if self.kind == "binary" else self.n_outputs_

    def _arrays(self, forest: Any) -> TreeArrays:
        """scikit-learn's trees as arrays."""
        columns = None if self.kind == "regression" else forest.classes_.astype(int)
        return of_forest(forest, columns, self._n_chances)

    def _outputs(self, said: Array) -> Array:
        """Means, log-odds or one logit a class of what the trees say. Shape (N,) or (N, C)."""
        if self.kind == "regression":
            return said[:, 0]
        logs = np.log(said + UNCERTAIN)
        if self.kind == "binary":
            return np.asarray(logs[:, 1] - logs[:, 0])
        return np.asarray(logs)

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has the mean of all rows.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = checked_inputs(X)
        codes = task_codes(tasks, self.tasks_)
        design = np.hstack([inputs, self.task_means_[codes]])
        # Trees grow on inputs of single precision, and are asked with such.
        rounded = design.astype(np.float32).astype(np.float64)
        return self._outputs(self.forest_.outputs(rounded))


def _others(rows: Rows, held: NDArray[np.bool_], some: NDArray[np.bool_]) -> Rows:
    """Some of the rows without those held out, unless that leaves none."""
    others = some & ~held
    return rows.take(others if others.any() else some)


def shrunk_means(rows: Rows) -> Array:
    """Each task's mean target, or rates of classes, shrunk to that of all rows.

    A mean of n rows keeps n / (n + m) of its distance, where m is the variance within tasks over
    that between them, the latter by what the means vary more than chance (the method of moments).

    Shape:
        (T + 1, C): the last row is the mean of all rows, for a task that was never seen.
    """
    targets = one_vs_rest(rows)
    weights = rows.row_weights[:, None]
    centre = np.average(targets, axis=0, weights=rows.weights)
    counts = np.bincount(rows.tasks, weights[:, 0], minlength=rows.n_tasks)[:, None]
    sums = sums_by_task(weights * (targets - centre), rows.tasks, rows.n_tasks)
    means = sums / np.where(counts > 0, counts, 1)
    n_seen = (counts > 0).sum()
    residuals = targets - centre - means[rows.tasks]
    within = (weights * residuals**2).sum(axis=0)
    within = within / max(counts.sum() - n_seen, 1)
    # Σ n_t mean_t² is (T − 1) times the variance within tasks where they do not differ.
    spread = (counts * means**2).sum(axis=0) - (n_seen - 1) * within
    between = np.maximum(spread / counts.sum(), 1e-3 * within + 1e-12)
    kept = counts / (counts + within / between)
    return np.vstack([centre + kept * means, centre])
