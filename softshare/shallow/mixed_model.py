"""A linear mixed model: what tasks have in common, and each task's shrunk intercept and slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.base import BaseEstimator

from softshare.shallow.folds import coordinate_search, fold_of_rows
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
    sums_by_task,
    task_codes,
)
from softshare.shallow.variance_components import CompressedTasks, Solution, estimate, solve

Slopes = Literal["none", "common", "each"]

# Where rows come in groups: the variance between (task, group) pairs over σ², and factors for the
# tasks' variances and for λ around their restricted-likelihood estimates, that are tried.
GROUP_RATIOS = (0.0, 0.1, 0.3, 1.0, 3.0)
INTERCEPT_FACTORS = (0.03, 0.1, 0.3, 1.0)
SLOPE_FACTORS = (0.0, 0.1, 0.3, 1.0)
PENALTY_FACTORS = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


@dataclass(frozen=True)
class _Strengths:
    """All that is estimated before effects are: ratios to σ²."""

    ratios: Array  # (G,): the variances of random effects
    penalty: float  # λ
    group: float = 0.0  # the variance between (task, group) pairs

    def scaled(self, intercept: float, slopes: float, penalty: float) -> _Strengths:
        """The same times three factors."""
        ratios = self.ratios * slopes
        ratios[0] = self.ratios[0] * intercept
        return _Strengths(ratios, self.penalty * penalty, self.group)


class MixedModel(BaseEstimator):
    """Random intercepts and slopes, with variances by restricted maximum likelihood.

    y = xβ + b + u_t + x v_t + ε, where u_t and the slopes v_t are normal around zero: each task's
    own part is shrunk by as much as its rows are few and as the tasks are alike. The fixed
    effects are shrunk likewise, by a strength that the same likelihood estimates, so that inputs
    may outnumber rows. Classes are fitted by penalised quasi-likelihood (Breslow and Clayton
    1993): the same estimate on the working response of logistic regression, until it stands
    still.

    Where rows come in groups (the visits of a person), rows of one task and group share one more
    random intercept (of values), and all strengths are adjusted by held-out groups.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass`` (one problem a class).
        slopes: Random slopes have one variance together (``common``), one variance each
            (``each``), or there are random intercepts alone (``none``). Inputs have standard
            deviation 1; inputs that are constant in every task have no random slope.
        fixed_penalty: The prior precision of the fixed effects over that of the noise; None
            estimates it, 0 leaves them free (it needs more rows than inputs).
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts of the groups that are held out in turn, where rows come in groups.
        random_state: Draws the parts.

    Attributes:
        fixed_effects_: Of inputs of standard deviation 1, the intercept last. Shape (C, p + 1).
        task_effects_: Each task's own part of them. Shape (T, C, p + 1).
        variance_components_: For each class: ``intercept``, ``slopes`` (shape (p,)), ``group``
            and ``noise`` (1 for classes).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        slopes: Slopes = "common",
        fixed_penalty: float | None = None,
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.slopes = slopes
        self.fixed_penalty = fixed_penalty
        self.n_classes = n_classes
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, tasks: ArrayLike, groups: ArrayLike | None = None
    ) -> MixedModel:
        """Estimate variances and effects from all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one task and group share a random intercept. Shape (N,).

        Raises:
            ValueError: If shapes, values or ``slopes`` are wrong.
        """
        if self.slopes not in ("none", "common", "each"):
            raise ValueError(f"slopes must be none, common or each, not {self.slopes!r}")
        rows = checked_rows(X, y, tasks, groups, kind=self.kind, n_classes=self.n_classes)
        self.tasks_ = rows.names
        self.scaling_ = Scaling.of(rows.inputs)
        inputs = self.scaling_(rows.inputs)
        rows = rows.with_inputs(np.column_stack([inputs, np.ones(len(inputs))]))
        members = _members(rows, self.slopes)
        columns = one_vs_rest(rows).T
        strengths = [self._strengths(rows, column, members) for column in columns]
        fits = [
            _solved(rows, column, members, chosen)
            for column, chosen in zip(columns, strengths, strict=True)
        ]
        self.fixed_effects_ = np.stack([fit.fixed for fit in fits])
        self.task_effects_ = np.stack([fit.effects for fit in fits], axis=1)
        self.variance_components_ = [
            _variance_components(chosen, fit.noise, members)
            for chosen, fit in zip(strengths, fits, strict=True)
        ]
        return self

    def _strengths(self, rows: Rows, targets: Array, members: Array) -> _Strengths:
        """Restricted likelihood; where rows come in groups, adjusted by held-out groups.

        The likelihood takes rows for independent given their task: with groups that run through
        many tasks (persons who answer every question) it believes in too many rows.
        """
        if rows.groups is None:
            return _estimated(rows, targets, members, self.fixed_penalty)
        nested = rows.kind == "regression" and _has_pairs(rows)
        ratios = GROUP_RATIOS if nested else (0.0,)
        estimates = {
            ratio: _estimated(rows, targets, members, self.fixed_penalty, group=ratio)
            for ratio in ratios
        }
        folds = fold_of_rows(rows, self.n_folds, self.random_state)

        def loss(group: float, *factors: float) -> float:
            strengths = estimates[group].scaled(*factors)
            return _held_out_loss(rows, targets, members, strengths, folds)

        penalties = (1.0,) if self.fixed_penalty == 0 else PENALTY_FACTORS
        grids = (ratios, INTERCEPT_FACTORS, SLOPE_FACTORS, penalties)
        group, *factors = coordinate_search(loss, grids, start=(0.0, 1.0, 0.0, 1.0))
        return estimates[group].scaled(*factors)

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has the common effects.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        design = np.column_stack([inputs, np.ones(len(inputs))])
        none = np.zeros_like(self.fixed_effects_)[None]
        effects = np.concatenate([self.task_effects_, none])  # the last is for position −1
        own = effects[task_codes(tasks, self.tasks_)]  # (N, C, p + 1)
        outputs = np.einsum("nk,nck->nc", design, self.fixed_effects_ + own)
        return outputs if self.kind == "multiclass" else outputs[:, 0]


def _members(rows: Rows, slopes: Slopes) -> Array:
    """Which columns share a variance: a row of ones and zeros for each variance. Shape (G, p + 1).

    The first is the intercept's, the last column's.
    """
    n_columns = rows.inputs.shape[1]
    intercept = np.zeros((1, n_columns))
    intercept[0, -1] = 1.0
    varies = _varies_within_tasks(rows)
    if slopes == "none" or not varies.any():
        return intercept
    if slopes == "common":
        return np.vstack([intercept, varies[None].astype(float)])
    return np.vstack([intercept, np.eye(n_columns)[varies]])


def _varies_within_tasks(rows: Rows) -> Array:
    """True for inputs that are not constant in every task. Shape (p + 1,).

    A random slope of a fact of the task, such as a school's size, is a random intercept again.
    """
    counts = np.bincount(rows.tasks, minlength=rows.n_tasks)
    means = sums_by_task(rows.inputs, rows.tasks, rows.n_tasks) / np.maximum(counts, 1)[:, None]
    within = ((rows.inputs - means[rows.tasks]) ** 2).mean(axis=0)
    return within > 1e-6 * np.maximum((rows.inputs**2).mean(axis=0), 1e-12)


def _start(members: Array) -> Array:
    """Ratios of a tenth for the intercept, less for the many slopes, and λ = 10."""
    sizes = members.sum(axis=1)
    return np.append(0.1 / np.append(1.0, 3 * np.ones(len(sizes) - 1)), 10.0)


def _estimated(
    rows: Rows, targets: Array, members: Array, penalty: float | None, *, group: float = 0.0
) -> _Strengths:
    """Restricted likelihood of values, penalised quasi-likelihood of labels."""
    penalised = _penalised(rows, penalty)
    start = _start(members)
    if rows.kind == "regression":
        tasks = _compressed(rows, targets, group)
        ratios, strength, _ = estimate(tasks, members, penalised, start=start, penalty=penalty)
        return _Strengths(ratios, strength, group)
    outputs = _first_outputs(targets)
    for _ in range(30):
        tasks = _working_response(rows, targets, outputs)
        ratios, strength, solution = estimate(
            tasks, members, penalised, start=start, noise=1.0, penalty=penalty
        )
        start = np.append(ratios, strength)
        before, outputs = outputs, _outputs(rows, solution)
        if np.abs(outputs - before).max() < 1e-4:
            break
    return _Strengths(ratios, strength)


def _solved(
    rows: Rows, targets: Array, members: Array, strengths: _Strengths, *, tolerance: float = 1e-8
) -> Solution:
    """The effects for given strengths: one solution for values, Newton's method for labels."""
    penalised = _penalised(rows, strengths.penalty)
    ratios, penalty = strengths.ratios, strengths.penalty
    if rows.kind == "regression":
        tasks = _compressed(rows, targets, strengths.group)
        return solve(tasks, ratios, members, penalty, penalised)
    outputs = _first_outputs(targets)
    for _ in range(30):
        tasks = _working_response(rows, targets, outputs)
        solution = solve(tasks, ratios, members, penalty, penalised, noise=1.0)
        before, outputs = outputs, _outputs(rows, solution)
        if np.abs(outputs - before).max() < tolerance:
            break
    return solution


def _held_out_loss(
    rows: Rows, targets: Array, members: Array, strengths: _Strengths, folds: Codes
) -> float:
    """The sum of the rows' losses, each by a fit without its fold."""
    total = 0.0
    kind: Kind = "regression" if rows.kind == "regression" else "binary"
    for fold in np.unique(folds):
        held = folds == fold
        solution = _solved(rows.take(~held), targets[~held], members, strengths, tolerance=1e-3)
        outputs = _outputs(rows.take(held), solution)
        total += float(row_losses(outputs, targets[held], kind).sum())
    return total


def _compressed(rows: Rows, targets: Array, group: float) -> CompressedTasks:
    """Compressed rows, without the likeness of rows that share a task and a group."""
    design, response = rows.inputs, targets
    if group > 0 and rows.groups is not None:
        design, response = _without_groups(design, response, _pairs(rows), group)
    return CompressedTasks.of(design, response, rows.tasks, rows.n_tasks)


def _penalised(rows: Rows, penalty: float | None) -> Array:
    """1 for every fixed effect but the intercept; none where the penalty is 0. Shape (p + 1,)."""
    penalised = np.ones(rows.inputs.shape[1])
    penalised[-1] = 0.0
    return np.zeros_like(penalised) if penalty == 0 else penalised


def _pairs(rows: Rows) -> Codes:
    """Each row's pair of task and group, numbered. Shape (N,)."""
    assert rows.groups is not None
    n_groups = rows.groups.max() + 1
    return np.unique(rows.tasks * n_groups + rows.groups, return_inverse=True)[1]


def _has_pairs(rows: Rows) -> bool:
    """Whether any two rows share a task and a group."""
    return bool(_pairs(rows).max() + 1 < len(rows.targets))


def _without_groups(
    design: Array, response: Array, pairs: Codes, ratio: float
) -> tuple[Array, Array]:
    """Rows whose errors are independent again.

    V = I + ratio · 11ᵀ in a pair of n rows has the root I − θ 11ᵀ / n with
    θ = 1 − 1 / √(1 + n ratio) (Fuller and Battese 1973): subtract θ times the pair's mean.
    """
    counts = np.bincount(pairs)
    theta = 1 - 1 / np.sqrt(1 + ratio * counts)
    joint = np.column_stack([design, response])
    means = sums_by_task(joint, pairs, len(counts)) / counts[:, None]
    joint = joint - (theta[:, None] * means)[pairs]
    return joint[:, :-1], joint[:, -1]


def _first_outputs(labels: Array) -> Array:
    """The log-odds of all rows' rate, as every row's first output. Shape (N,)."""
    rate = (labels.sum() + 0.5) / (len(labels) + 1)
    return np.full(len(labels), np.log(rate / (1 - rate)))


def _working_response(rows: Rows, labels: Array, outputs: Array) -> CompressedTasks:
    """Newton's step as weighted least squares: w = μ (1 − μ), z = η + (y − μ) / w."""
    mean = expit(outputs)
    weights = np.maximum(mean * (1 - mean), 1e-4)
    root = np.sqrt(weights)
    response = root * (outputs + (labels - mean) / weights)
    return CompressedTasks.of(rows.inputs * root[:, None], response, rows.tasks, rows.n_tasks)


def _outputs(rows: Rows, solution: Solution) -> Array:
    """Means or log-odds, the latter within ±10. Shape (N,)."""
    effects = solution.fixed + solution.effects[rows.tasks]  # (N, p + 1)
    outputs = (rows.inputs * effects).sum(axis=1)
    return outputs if rows.kind == "regression" else outputs.clip(-10, 10)


def _variance_components(
    strengths: _Strengths, noise: float, members: Array
) -> dict[str, float | Array]:
    """The estimated variances in the target's own unit."""
    columns = noise * strengths.ratios @ members
    return {
        "intercept": float(columns[-1]),
        "slopes": columns[:-1],
        "group": strengths.group * noise,
        "noise": noise,
    }
