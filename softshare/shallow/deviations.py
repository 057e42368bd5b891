"""How tasks deviate from a common model, learned from some rows and judged on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logit

from softshare.shallow.folds import Point
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import LogisticLoss, SquaredLoss, TaskLoss
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.rows import Array, Codes, Kind, Rows, one_vs_rest
from softshare.shallow.strengths import TUNABLE, Pull
from softshare.shallow.task_rows import TaskRows

# Strengths a quarter of a decade apart differ by far more than what this leaves undone.
TOL_TO_CHOOSE = 3e-4


@dataclass(eq=False)
class Part:
    """Rows to learn from, and rows held out.

    Attributes:
        method: a name.
        train: with scaled inputs.
        held: likewise.
        base: what the tasks deviate from, or None.
        constant: everyone's mean or log-odds, ``(C,)``.
        scale: the unit of numbers.
        directions: of the inputs that serve in their place, ``(p, K)``, or None.
    """

    method: str
    train: Rows
    held: Rows
    base: PooledRidge | None
    constant: Array
    scale: float
    directions: Array | None
    _losses: list[TaskLoss] = field(default_factory=list)
    _latest: list[LinearTasks] = field(default_factory=list)
    _known: dict[Point, Array] = field(default_factory=dict)

    def outputs(self, point: Point) -> Array:
        """What is said of the rows held out. Shape (n, C)."""
        if point not in self._known:
            coefficients = self.coefficients(self.models(point, TOL_TO_CHOOSE))
            inputs = self.held.inputs
            tasks = self.held.tasks
            starts = base_outputs(self.base, self.constant, inputs, tasks)
            own = deviations(inputs, tasks, coefficients)
            self._known[point] = starts + own
        return self._known[point]

    def coefficients(self, models: Sequence[LinearTasks]) -> Array:
        """Of the inputs and the constant, in the targets' unit. Shape (T, p + 1, C)."""
        coefficients = np.stack([model.coef_ for model in models], axis=-1)
        if self.directions is not None:
            of_directions = coefficients[:, :-1]
            of_inputs = np.einsum("pk,tkc->tpc", self.directions, of_directions)
            offsets = coefficients[:, -1:]
            coefficients = np.concatenate([of_inputs, offsets], axis=1)
        return np.asarray(self.scale * coefficients)

    def models(self, point: Point, tol: float) -> list[LinearTasks]:
        """Every class's model, fitted from where the fit before ended."""
        tunable = TUNABLE[self.method]
        if not self._losses:
            self._losses = self._read()
        models = []
        for one, loss in enumerate(self._losses):
            start = None
            if self._latest:
                start = self._latest[one]._start(loss.shape)
            n_tasks, n_features = loss.shape
            at_zero = loss.at(np.zeros((n_tasks, n_features)))
            pull = Pull(at_zero.gradient, len(self.train.targets))
            strengths = tunable.setting(pull, point)
            model = tunable.make(fit_intercept=False, tol=tol)
            model.set_params(**strengths)
            model.tasks_ = self.train.names.tolist()
            model._learn(loss, np.zeros(n_features), start)
            models.append(model)
        self._latest = models
        return models

    def _read(self) -> list[TaskLoss]:
        """Every class's loss of the rows to learn from."""
        rows = self.train
        starts = base_outputs(self.base, self.constant, rows.inputs, rows.tasks)
        if self.directions is not None:
            rows = rows.with_inputs(rows.inputs @ self.directions)
        order = np.argsort(rows.tasks, kind="stable")
        losses: list[TaskLoss] = []
        for one, targets in enumerate(one_vs_rest(rows).T):
            if rows.kind == "regression":
                missed = (targets - starts[:, one]) / self.scale
                losses.append(SquaredLoss.of(_by_task(rows, missed, order), intercept=False))
            else:
                by_task = _by_task(rows, targets, order)
                given = starts[order, one]
                losses.append(LogisticLoss(by_task, intercept=False, given=given))
        return losses


def base_outputs(
    base: PooledRidge | None,
    constant: Array,
    inputs: Array,
    tasks: Codes,
) -> Array:
    """What tasks deviate from. Shape (n, C)."""
    if base is None:
        return np.tile(constant, (len(inputs), 1))
    return base.predict(inputs, tasks).reshape(len(inputs), -1)


def deviations(inputs: Array, tasks: Codes, coefficients: Array) -> Array:
    """Shapes: (n, p), (n,), (T, p + 1, C) to (n, C)."""
    outputs = np.empty((len(inputs), coefficients.shape[2]))
    for task in np.unique(tasks):
        mine = tasks == task
        weights = coefficients[task]
        products = inputs[mine] @ weights[:-1]
        outputs[mine] = products + weights[-1]
    return outputs


def _by_task(rows: Rows, targets: Array, order: Codes) -> TaskRows:
    """Every task's inputs, a constant the last, and targets, by the tasks' numbers."""
    counts = np.bincount(rows.tasks, minlength=rows.n_tasks)
    ends = np.cumsum(counts)[:-1]
    constant = np.ones((len(order), 1))
    inputs = np.hstack([rows.inputs[order], constant])
    return TaskRows(
        rows.names.tolist(),
        inputs=np.split(inputs, ends),
        targets=np.split(targets[order], ends),
        positions=np.split(order, ends),
    )


def constant_of(rows: Rows) -> Array:
    """Everyone's mean, or log-odds of the rates. Shape (C,)."""
    targets = one_vs_rest(rows)
    if rows.kind == "regression":
        return np.asarray(targets.mean(axis=0))
    # Half a row more of each class: no log-odds is infinite.
    rates = (targets.sum(axis=0) + 0.5) / (len(targets) + 1)
    return np.asarray(logit(rates))


def shaped(outputs: Array, kind: Kind) -> Array:
    """Shape: (n, C) to itself of ``multiclass``, else to (n,)."""
    return outputs if kind == "multiclass" else outputs[:, 0]
