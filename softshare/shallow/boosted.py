"""Gradient-boosted trees that see the task as a category."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from softshare.shallow.folds import fold_of_rows
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    checked_inputs,
    checked_rows,
    row_losses,
    task_codes,
)

# None where the extra `boosted` is not installed.
lightgbm: Any = import_module("lightgbm") if find_spec("lightgbm") else None

# scikit-learn's trees hold a category in one byte, one value of which is for missing.
MOST_CATEGORIES = 255
MOST_ROUNDS = 1000
PATIENCE = 40
STAGES = 300  # of scikit-learn's trees, which do not stop at held-out rows of our choice


@dataclass(frozen=True)
class Settings:
    """The size of the trees."""

    leaves: int
    rows_in_leaf: int
    learning_rate: float = 0.05


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
        model_: LightGBM's booster or scikit-learn's estimator.
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
    ) -> Boosted:
        """Choose size and number of trees on held-out rows, then fit all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).

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
        )
        self._check_start(rows.n_tasks)
        self.tasks_ = rows.names
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        parts = []
        for fold in np.unique(folds):
            held = folds == fold
            if not held.all():
                parts.append(self._part(rows.take(~held), rows.take(held)))
        curves = [_mean_curve(parts, settings, len(rows.targets)) for settings in CANDIDATES]
        best = int(np.argmin([curve.min() for curve in curves]))
        self.settings_ = CANDIDATES[best]
        self.rounds_ = int(np.argmin(curves[best])) + 1
        self.base_ = self._base(rows)
        self.model_ = _train(rows, self._offsets(self.base_, rows), self.settings_, self.rounds_)
        return self

    def _check_start(self, n_tasks: int) -> None:
        """The start must be known, and the trees at hand must suffice."""
        if self.start not in ("constant", "pooled-ridge"):
            raise ValueError(f"start must be constant or pooled-ridge, not {self.start!r}")
        if lightgbm is None and (self.start != "constant" or n_tasks > MOST_CATEGORIES):
            raise ImportError(
                f"boosted trees for more than {MOST_CATEGORIES} tasks or from pooled-ridge need "
                "LightGBM: pip install 'softshare[boosted]'"
            )

    def _base(self, rows: Rows) -> PooledRidge | None:
        """What the trees start from."""
        if self.start == "constant":
            return None
        base = PooledRidge(self.kind, n_classes=rows.n_classes, random_state=self.random_state)
        return base.fit(rows.inputs, rows.targets, rows.names[rows.tasks], rows.groups)

    def _offsets(self, base: PooledRidge | None, rows: Rows) -> Array | None:
        """The base's outputs, which the trees' are added to. Shape (N,) or (N, C)."""
        return None if base is None else base.predict(rows.inputs, rows.names[rows.tasks])

    def _part(self, train: Rows, held: Rows) -> _Part:
        """Training and held-out rows with the outputs to start from."""
        base = self._base(train)
        return _Part(train, held, self._offsets(base, train), self._offsets(base, held))

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen is a missing category.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = checked_inputs(X)
        codes = task_codes(tasks, self.tasks_)
        outputs = _raw_outputs(self.model_, _with_category(inputs, codes), self.kind)
        if self.base_ is not None:
            outputs = outputs + self.base_.predict(inputs, tasks)
        return outputs


@dataclass(frozen=True)
class _Part:
    """One fold: what trains, what is held out, and the outputs that both start from."""

    train: Rows
    held: Rows
    train_offsets: Array | None
    held_offsets: Array | None


def _with_category(inputs: Array, codes: Codes) -> Array:
    """Inputs and the task's number last, missing for a task never seen. Shape (N, p + 1)."""
    return np.column_stack([inputs, np.where(codes < 0, np.nan, codes)])


def _mean_curve(parts: list[_Part], settings: Settings, n_rows: int) -> Array:
    """The loss of held-out rows after every round, up to the longest fold's. Shape (rounds,)."""
    curves = [_curve(part, settings) * len(part.held.targets) / n_rows for part in parts]
    longest = max(len(curve) for curve in curves)
    # A fold that stopped early got worse: its last loss stands for what would have followed.
    padded = [np.pad(curve, (0, longest - len(curve)), mode="edge") for curve in curves]
    return np.sum(padded, axis=0)


def _curve(part: _Part, settings: Settings) -> Array:
    """One fold's loss after every round, until it has not fallen for a while. Shape (rounds,)."""
    if lightgbm is None:
        return _staged_losses(part, settings)
    train = _dataset(part.train, part.train_offsets)
    held = _dataset(part.held, part.held_offsets, reference=train)
    record: dict[str, dict[str, list[float]]] = {}
    lightgbm.train(
        _parameters(part.train, settings),
        train,
        MOST_ROUNDS,
        valid_sets=[held],
        valid_names=["held"],
        callbacks=[
            lightgbm.early_stopping(PATIENCE, verbose=False),
            lightgbm.record_evaluation(record),
        ],
    )
    (losses,) = record["held"].values()
    return np.array(losses)


def _train(
    rows: Rows,
    offsets: Array | None,
    settings: Settings,
    rounds: int,
) -> Any:
    """The trees of all rows."""
    if lightgbm is None:
        return _histogram_trees(rows, settings, rounds)
    return lightgbm.train(_parameters(rows, settings), _dataset(rows, offsets), rounds)


def _parameters(rows: Rows, settings: Settings) -> dict[str, Any]:
    """LightGBM's names for the settings."""
    parameters = {
        "objective": rows.kind,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.rows_in_leaf,
        "learning_rate": settings.learning_rate,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,  # else it times both ways and takes the faster one
        "seed": 0,
        "verbosity": -1,
    }
    return parameters | ({"num_class": rows.n_classes} if rows.kind == "multiclass" else {})


def _dataset(rows: Rows, offsets: Array | None, reference: Any = None) -> Any:
    """Rows as LightGBM takes them; scores of classes lie one class after the other."""
    return lightgbm.Dataset(
        _with_category(rows.inputs, rows.tasks),
        rows.targets,
        init_score=None if offsets is None else offsets.ravel(order="F"),
        categorical_feature=[rows.inputs.shape[1]],
        reference=reference,
        params={"verbosity": -1, "min_data_in_bin": 1},
    )


def _histogram_trees(rows: Rows, settings: Settings, rounds: int) -> Any:
    """scikit-learn's trees of the same size."""
    regression = rows.kind == "regression"
    make = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    trees = make(
        max_iter=rounds,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.rows_in_leaf,
        learning_rate=settings.learning_rate,
        categorical_features=[rows.inputs.shape[1]],
        early_stopping=False,
        random_state=0,
    )
    return trees.fit(_with_category(rows.inputs, rows.tasks), rows.targets)


def _staged_losses(part: _Part, settings: Settings) -> Array:
    """scikit-learn's trees judged after every round."""
    trees = _histogram_trees(part.train, settings, STAGES)
    design = _with_category(part.held.inputs, part.held.tasks)
    if part.train.kind == "regression":
        stages = trees.staged_predict(design)
    elif part.train.kind == "binary":
        stages = (_log_odds(chances) for chances in trees.staged_predict_proba(design))
    else:
        stages = (np.log(chances + 1e-12) for chances in trees.staged_predict_proba(design))
    means = [row_losses(outputs, part.held.targets, part.train.kind).mean() for outputs in stages]
    return np.array(means)


def _log_odds(chances: Array) -> Array:
    """Shape: (N, 2) to (N,)."""
    return np.asarray(np.log(chances[:, 1] + 1e-12) - np.log(chances[:, 0] + 1e-12))


def _raw_outputs(model: Any, design: Array, kind: Kind) -> Array:
    """What either library's trees add up to."""
    if lightgbm is not None and isinstance(model, lightgbm.Booster):
        return np.asarray(model.predict(design, raw_score=True))
    if kind == "regression":
        return np.asarray(model.predict(design))
    return np.asarray(model.decision_function(design))
