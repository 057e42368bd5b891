"""What a linear mixed model estimates: strengths from a likelihood, and effects for given ones.

rows ──► compressed tasks ──► restricted likelihood ──► ratios, λ ──► β and every task's b_t
(of labels: working responses, which a new fit changes until they stand still)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import expit

from softshare.shallow.halved_steps import CERTAIN, part_that_lowers
from softshare.shallow.logistic_effects import Effects, LogisticEffects, first_outputs
from softshare.shallow.rows import Array, Codes, Rows, sums_by_task
from softshare.shallow.variance_components import CompressedTasks, Solution, estimate, solve

Slopes = Literal["none", "common", "each"]

MOST_STEPS = 50
"""Of Newton's method; ten are usual."""


@dataclass(frozen=True)
class Strengths:
    """All that is estimated before effects are: ratios to σ²."""

    ratios: Array  # (G,): the variances of random effects
    penalty: float  # λ
    group: float = 0.0  # the variance between (task, group) pairs

    def scaled(self, intercept: float, slopes: float, penalty: float) -> Strengths:
        """The same times three factors."""
        ratios = self.ratios * slopes
        ratios[0] = self.ratios[0] * intercept
        return Strengths(ratios, self.penalty * penalty, self.group)


def shared_variances(rows: Rows, slopes: Slopes) -> Array:
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
    sums = sums_by_task(rows.inputs, rows.tasks, rows.n_tasks)
    means = sums / np.maximum(counts, 1)[:, None]  # (T, p + 1)
    away = rows.inputs - means[rows.tasks]
    within = (away**2).mean(axis=0)
    size = (rows.inputs**2).mean(axis=0)
    # A millionth of an input's size is what rounding leaves of a constant, with room.
    return within > 1e-6 * np.maximum(size, 1e-12)


def _start(members: Array) -> Array:
    """Ratios of a tenth for the intercept, less for the many slopes, and λ = 10."""
    n_ratios = len(members)
    less = np.full(n_ratios, 3.0)
    less[0] = 1.0
    return np.append(0.1 / less, 10.0)


def estimated_strengths(
    rows: Rows,
    targets: Array,
    members: Array,
    penalty: float | None,
    *,
    group: float = 0.0,
) -> Strengths:
    """Restricted likelihood of values, penalised quasi-likelihood of labels."""
    penalised = _penalised(rows, penalty)
    start = _start(members)
    if rows.kind == "regression":
        tasks = compressed(rows, targets, group)
        ratios, strength, _ = estimate(
            tasks,
            members,
            penalised,
            start=start,
            penalty=penalty,
        )
        return Strengths(ratios, strength, group)
    outputs = first_outputs(rows, targets)
    for _ in range(30):
        tasks = _working_response(rows, targets, outputs)
        ratios, strength, solution = estimate(
            tasks,
            members,
            penalised,
            start=start,
            noise=1.0,
            penalty=penalty,
        )
        start = np.append(ratios, strength)
        before, outputs = outputs, outputs_of(rows, solution)
        if np.abs(outputs - before).max() < 1e-4:
            break
    return Strengths(ratios, strength)


def solved(
    rows: Rows,
    targets: Array,
    members: Array,
    strengths: Strengths,
    *,
    tolerance: float = 1e-8,
    tasks: CompressedTasks | None = None,
) -> Solution:
    """The effects for given strengths: one solution for values, Newton's method for labels.

    Args:
        rows: with a last input of ones.
        targets: of one problem, shape (N,).
        members: which columns share a variance.
        strengths: all of them.
        tolerance: Largest change of an output at which Newton's method stops.
        tasks: the rows compressed, where they have been before (of values alone).
    """
    penalised = _penalised(rows, strengths.penalty)
    ratios, penalty = strengths.ratios, strengths.penalty
    if rows.kind == "regression":
        return solve(
            tasks or compressed(rows, targets, strengths.group),
            ratios,
            members,
            penalty,
            penalised,
        )
    problem = LogisticEffects(rows, targets, penalty * penalised, ratios @ members)
    fit = problem.start()
    outputs = fit.outputs(rows)
    value = problem.value(fit)
    for _ in range(MOST_STEPS):
        tasks = _working_response(rows, targets, outputs)
        solution = solve(
            tasks,
            ratios,
            members,
            penalty,
            penalised,
            noise=1.0,
        )
        whole = Effects(solution.fixed, solution.effects)
        part, value = part_that_lowers(partial(problem.value_between, fit, whole), value)
        fit = fit.towards(whole, part)
        before, outputs = outputs, fit.outputs(rows)
        change = (outputs - before)[np.abs(before) < CERTAIN]
        if np.abs(change).max(initial=0) < tolerance:
            break
    return replace(solution, fixed=fit.fixed, effects=fit.effects)


def compressed(rows: Rows, targets: Array, group: float) -> CompressedTasks:
    """Compressed rows, without the likeness of rows that share a task and a group."""
    # Rows times the root of their weight: plain least squares of them is the weighted one.
    roots = np.sqrt(rows.row_weights)
    design, response = rows.inputs * roots[:, None], targets * roots
    if group > 0 and rows.groups is not None:
        design, response = without_groups(design, response, _pairs(rows), group, roots)
    return _compressed(rows, design, response)


def _compressed(rows: Rows, design: Array, response: Array) -> CompressedTasks:
    """These rows, which count for as many as their weights add up to."""
    small = CompressedTasks.of(design, response, rows.tasks, rows.n_tasks)
    return small if rows.weights is None else replace(small, n_rows=rows.weights.sum())


def _penalised(rows: Rows, penalty: float | None) -> Array:
    """1 for every fixed effect but the intercept; none where the penalty is 0. Shape (p + 1,)."""
    penalised = np.ones(rows.inputs.shape[1])
    penalised[-1] = 0.0
    if penalty == 0:
        penalised[:] = 0.0
    return penalised


def _pairs(rows: Rows) -> Codes:
    """Each row's pair of task and group, numbered. Shape (N,)."""
    assert rows.groups is not None
    n_groups = rows.groups.max() + 1
    pairs = rows.tasks * n_groups + rows.groups
    return np.unique(pairs, return_inverse=True)[1]


def has_pairs(rows: Rows) -> bool:
    """Whether any two rows share a task and a group."""
    return bool(_pairs(rows).max() + 1 < len(rows.targets))


def without_groups(
    design: Array,
    response: Array,
    pairs: Codes,
    ratio: float,
    roots: Array | None = None,
) -> tuple[Array, Array]:
    """Rows whose errors are independent again.

    V = I + ratio · 11ᵀ in a pair of n rows has the root I − θ 11ᵀ / n with
    θ = 1 − 1 / √(1 + n ratio) (Fuller and Battese 1973): subtract θ times the pair's mean.

    Args:
        design: Shape (N, k).
        response: Shape (N,).
        pairs: Each row's pair of task and group. Shape (N,).
        ratio: The variance between pairs, over that of a row of weight 1.
        roots: By which rows are multiplied already, the roots of their weights; 1 stands there in
            place of these, and n is the sum of the weights. Shape (N,).
    """
    ones = np.ones(len(pairs)) if roots is None else roots
    counts = np.bincount(pairs, ones**2)
    theta = 1 - 1 / np.sqrt(1 + ratio * counts)
    joint = np.column_stack([design, response])
    means = sums_by_task(joint * ones[:, None], pairs, len(counts)) / counts[:, None]
    shares = theta[:, None] * means  # (pairs, k + 1)
    joint = joint - ones[:, None] * shares[pairs]
    return joint[:, :-1], joint[:, -1]


def _working_response(rows: Rows, labels: Array, outputs: Array) -> CompressedTasks:
    """Newton's step as weighted least squares: w = μ (1 − μ), z = η + (y − μ) / w."""
    mean = expit(outputs)
    weights = np.maximum(mean * (1 - mean), 1e-4)
    root = np.sqrt(rows.row_weights * weights)
    response = root * (outputs + (labels - mean) / weights)
    return _compressed(rows, rows.inputs * root[:, None], response)


def outputs_of(rows: Rows, solution: Solution) -> Array:
    """Means or log-odds, the latter within ±10. Shape (N,)."""
    outputs = Effects(solution.fixed, solution.effects).outputs(rows)
    return outputs if rows.kind == "regression" else outputs.clip(-10, 10)


def variance_components(
    strengths: Strengths, noise: float, members: Array
) -> dict[str, float | Array]:
    """The estimated variances in the target's own unit."""
    columns = noise * strengths.ratios @ members
    return {
        "intercept": float(columns[-1]),
        "slopes": columns[:-1],
        "group": strengths.group * noise,
        "noise": noise,
    }
