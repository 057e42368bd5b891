"""The linear multi-task methods as a person uses them: strengths chosen by rows held out.

pooled-ridge, or a constant  ──►  what it misses  ──►  one linear model a task, learned together
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from sklearn.base import BaseEstimator

from softshare.shallow.deviations import Part, base_outputs, constant_of, deviations, shaped
from softshare.shallow.folds import Choice, fold_of_rows, search_by_folds
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    Scaling,
    checked_inputs,
    checked_rows,
    row_losses,
    task_codes,
)
from softshare.shallow.strengths import TUNABLE

TOL = 1e-6
# Of all tasks' Gram matrices together, 32 MiB a fold; with more inputs their leading directions
# serve, so that time and memory have bounds.
MOST_NUMBERS = 1 << 22
# Values on either side of the best one that are tried: folds are a little uneven.
REACH = 2


class TunedLinear(BaseEstimator):
    """A published way to learn one linear model a task, together.

    Most of these methods pull all weights towards zero. Tasks that ask one question in several
    places have their weights elsewhere: the methods learn how tasks deviate from `pooled-ridge`,
    and one that has common weights itself starts from a constant. Offsets are weights of a
    constant input, shared and shrunk as the others are: eight rows say little of a task's own. Of
    several classes each is fitted against the rest, with the same strengths.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        method: a name in :data:`softshare.shallow.strengths.TUNABLE`.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn to choose the strengths.
        random_state: Draws the parts.

    Attributes:
        structure_: What the method says is shared, as its own attributes, of every class: the last
            input is the constant, targets are in units of their deviation over all rows.
        strengths_: The chosen arguments of the first of them, by name.
        directions_: Of many inputs the leading ones, which the models see, or None. Shape (p, K).
        base_: What tasks deviate from, or None.
        constant_: Everyone's mean or log-odds, where there is no base. Shape (C,).
        coef_: Of inputs of one scale, beside the base; the last is the offset.
            Shape (T + 1, p + 1, C); the last row is for a task that was never seen.
        held_out_: What fits without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        method: str = "trace-norm",
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.method = method
        self.n_classes = n_classes
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        tasks: ArrayLike,
        groups: ArrayLike | None = None,
    ) -> TunedLinear:
        """Choose the strengths on held-out rows, then fit all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group are held out together. Shape (N,).

        Raises:
            ValueError: If shapes, values or ``method`` are wrong.
        """
        if self.method not in TUNABLE:
            raise ValueError(f"method must be one of {', '.join(TUNABLE)}, not {self.method!r}")
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
        self.directions_ = _leading_directions(rows)
        self.scale_ = 1.0
        if self.kind == "regression":
            spread = float(rows.targets.std())
            self.scale_ = max(spread, 1e-12)
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        n_folds = int(folds.max()) + 1
        parts = [self._part(rows, folds == fold) for fold in range(n_folds)]
        choice, self.held_out_ = self._chosen(rows, folds, parts)

        nothing = np.zeros(len(folds), dtype=bool)
        whole = self._part(rows, nothing)
        self.base_, self.constant_ = whole.base, whole.constant
        models = whole.models(choice.best, TOL)
        self.strengths_ = dict(models[0]._strengths())
        self.structure_ = [_structure(model) for model in models]
        own = whole.coefficients(models)
        counts = np.bincount(rows.tasks, minlength=rows.n_tasks)
        average = np.average(own, axis=0, weights=counts)
        self.coef_ = np.concatenate([own, average[None]])
        return self

    def _part(self, rows: Rows, held: NDArray[np.bool_]) -> Part:
        """Rows to learn from and rows held out, with what the tasks deviate from."""
        # One row alone trains what is said of itself.
        train = rows.take(held if held.all() else ~held)
        base = None
        if TUNABLE[self.method].on_pooled:
            base = PooledRidge(self.kind, n_classes=rows.n_classes, random_state=self.random_state)
            base.fit(train.inputs, train.targets, train.tasks, train.groups)
        return Part(
            self.method,
            train,
            rows.take(held),
            base,
            constant_of(train),
            self.scale_,
            self.directions_,
        )

    def _chosen(self, rows: Rows, folds: Codes, parts: Sequence[Part]) -> tuple[Choice, Array]:
        """The strengths with the least loss of rows held out, and what is said of these."""

        def losses(*point: float) -> Array:
            by_fold = []
            for part in parts:
                outputs = shaped(part.outputs(point), rows.kind)
                own = row_losses(outputs, part.held.targets, rows.kind)
                by_fold.append(float(own.sum()))
            return np.array(by_fold)

        tunable = TUNABLE[self.method]
        choice = search_by_folds(
            losses,
            tunable.grids,
            start=tunable.start,
            reach=REACH,
        )
        held_out = np.empty((len(folds), len(parts[0].constant)))
        pairs = zip(parts, choice.by_others, strict=True)
        for fold, (part, point) in enumerate(pairs):
            is_held = folds == fold
            held_out[is_held] = part.outputs(point)
        return choice, shaped(held_out, rows.kind)

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has everyone's mean weights.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        codes = task_codes(tasks, self.tasks_)
        outputs = base_outputs(self.base_, self.constant_, inputs, codes)
        outputs += deviations(inputs, codes, self.coef_)
        return shaped(outputs, self.kind)


def _structure(model: LinearTasks) -> dict[str, Any]:
    """What a fitted method has found beside its weights."""
    found = {name: value for name, value in vars(model).items() if name.endswith("_")}
    for name in ("tasks_", "coef_", "intercept_"):
        del found[name]
    return found


def _leading_directions(rows: Rows) -> Array | None:
    """As many of the inputs' principal directions as there is room for, or None: for all inputs.

    Where rows are fewer than that nothing is lost but to methods that choose inputs.

    Shape:
        (p, K).
    """
    n_rows, n_inputs = rows.inputs.shape
    most = int(np.sqrt(MOST_NUMBERS / rows.n_tasks)) - 1
    if n_inputs <= most:
        return None
    return _principal(rows.inputs, max(min(most, n_rows), 1))


def _principal(inputs: Array, n_kept: int) -> Array:
    """The leading right singular vectors, of whichever product is small. Shape (p, K)."""
    n_rows, n_inputs = inputs.shape
    if n_inputs <= n_rows:
        products = inputs.T @ inputs
        largest = (n_inputs - n_kept, n_inputs - 1)
        _, vectors = linalg.eigh(products, subset_by_index=largest)
        return np.asarray(vectors)
    products = inputs @ inputs.T
    largest = (n_rows - n_kept, n_rows - 1)
    values, left = linalg.eigh(products, subset_by_index=largest)
    seen = values > 1e-10 * max(values[-1], 1e-300)
    lengths = np.sqrt(values[seen])
    return np.asarray(inputs.T @ left[:, seen] / lengths)
