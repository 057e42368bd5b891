"""One linear model and a shrunk offset a task, for given strengths.

rows ──► sums over each task's rows ──► offsets eliminated ──► p + 1 equations ──► β, then u_t
(of labels: of working responses, which a new fit changes until they stand still)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy import linalg
from scipy.special import expit

from softshare.shallow.halved_steps import CERTAIN, part_that_lowers
from softshare.shallow.rows import Array, Codes, Rows, one_vs_rest, row_losses, sums_by_task

MOST_STEPS = 50
"""Of Newton's method; ten are usual."""


@dataclass(frozen=True)
class Coefficients:
    """β with the intercept last, shape (p + 1,), and the tasks' offsets, shape (T,)."""

    fixed: Array
    offsets: Array

    def towards(self, other: Coefficients, part: float) -> Coefficients:
        """This part of the way to another fit."""
        fixed = self.fixed + part * (other.fixed - self.fixed)
        offsets = self.offsets + part * (other.offsets - self.offsets)
        return Coefficients(fixed, offsets)

    def outputs(
        self,
        design: Array,
        tasks: Codes,
    ) -> Array:
        """Shapes: (N, p + 1), (N,) to (N,); a task that was never seen (−1) has no offset."""
        own = np.append(self.offsets, 0.0)  # position −1
        return np.asarray(design @ self.fixed + own[tasks])


@dataclass(frozen=True)
class _Sums:
    """All that weighted least squares needs to know of rows: sums over them, and over a task's.

    n_t = Σ w, s_t = Σ w x, m_t = Σ w y over a task's rows.
    """

    products: Array  # Σ w x xᵀ, (p + 1, p + 1)
    right: Array  # Σ w x y, (p + 1,)
    counts: Array  # n, (T,)
    inputs: Array  # s, (T, p + 1)
    responses: Array  # m, (T,)

    @classmethod
    def of(
        cls,
        rows: Rows,
        response: Array,
        weights: Array,
    ) -> _Sums:
        """Of rows with a last input of ones."""
        weighted = rows.inputs * weights[:, None]
        weighted_response = weights * response
        inputs = sums_by_task(weighted, rows.tasks, rows.n_tasks)
        responses = np.bincount(
            rows.tasks,
            weights=weighted_response,
            minlength=rows.n_tasks,
        )
        return cls(
            products=rows.inputs.T @ weighted,
            right=weighted.T @ response,
            counts=inputs[:, -1],
            inputs=inputs,
            responses=responses.astype(np.float64),
        )

    def fit(
        self,
        strength: float,
        variance: float,
    ) -> Coefficients:
        """Least Σ w (y − xβ − u_t)² + λ |β|² + Σ u_t² / r, by eliminating the offsets.

        An offset is u_t = r / (1 + r n_t) · (m_t − s_t β), which leaves p + 1 equations.
        """
        pulled = variance / (1 + variance * self.counts)
        explained = self.inputs.T @ (pulled[:, None] * self.inputs)
        equations = self.products - explained
        right = self.right - self.inputs.T @ (pulled * self.responses)
        penalty = np.full(len(right), strength)
        penalty[-1] = 1e-8  # the intercept is free, but for equations that always have an answer
        equations[np.diag_indices_from(equations)] += penalty
        fixed = linalg.solve(equations, right, assume_a="pos", check_finite=False)
        return Coefficients(fixed, pulled * (self.responses - self.inputs @ fixed))


@dataclass(frozen=True)
class HeldOutPart:
    """Rows that are held out, and what fits to the others say of them.

    Args:
        train: the others, with a last input of ones.
        held: the rows held out, likewise.
    """

    train: Rows
    held: Rows

    @classmethod
    def of(
        cls,
        train: Rows,
        held: Rows,
    ) -> HeldOutPart:
        """With no more inputs than there are training rows.

        A ridge sees inputs only through their products: where p > N, N rotated inputs do as well.
        """
        if train.inputs.shape[1] <= len(train.targets):
            return cls(train, held)
        inputs = train.inputs[:, :-1]
        directions = np.linalg.svd(inputs, full_matrices=False)[2].T  # (p, N)
        fewer = with_intercept(inputs @ directions)
        held_fewer = with_intercept(held.inputs[:, :-1] @ directions)
        return cls(train.with_inputs(fewer), held.with_inputs(held_fewer))

    def outputs(
        self,
        strength: float,
        variance: float,
    ) -> Array:
        """Of the held-out rows, to three digits. Shape (N,), of ``multiclass`` (N, C)."""
        if self.train.kind == "regression":
            fits = [self._sums.fit(strength, variance)]
        else:
            fits = fit_classes(self.train, strength, variance, tolerance=1e-3)
        outputs = [fit.outputs(self.held.inputs, self.held.tasks) for fit in fits]
        return np.stack(outputs, axis=1) if self.train.kind == "multiclass" else outputs[0]

    @cached_property
    def _sums(self) -> _Sums:
        # Rows are read once however many strengths are tried.
        return _Sums.of(self.train, self.train.targets, self.train.row_weights)


def with_intercept(inputs: Array) -> Array:
    """Inputs and a last column of ones. Shape (N, p + 1)."""
    return np.hstack([inputs, np.ones((len(inputs), 1))])


def fit_classes(
    rows: Rows,
    strength: float,
    variance: float,
    *,
    tolerance: float = 1e-8,
) -> list[Coefficients]:
    """The penalised fit of every class (of the values, where there are no classes).

    Args:
        rows: With a last input of ones.
        strength: λ.
        variance: r.
        tolerance: Largest change of an output at which Newton's method stops.
    """
    columns = one_vs_rest(rows).T
    if rows.kind == "regression":
        sums = _Sums.of(rows, columns[0], rows.row_weights)
        return [sums.fit(strength, variance)]
    fits = []
    for labels in columns:
        fits.append(_logistic_fit(rows, labels, strength, variance, tolerance))
    return fits


def _logistic_fit(
    rows: Rows,
    labels: Array,
    strength: float,
    variance: float,
    tolerance: float,
) -> Coefficients:
    """Newton's method for the penalised logistic regression, as repeated weighted least squares.

    The penalised intercept of one class alone runs away slowly: its steps end where log-odds of ±15
    tell all rows for certain.
    """
    counts = rows.row_weights
    rate = ((counts * labels).sum() + 0.5) / (counts.sum() + 1)
    fixed = np.zeros(rows.inputs.shape[1])
    fixed[-1] = np.log(rate / (1 - rate))
    fit = Coefficients(fixed, np.zeros(rows.n_tasks))
    problem = _Logistic(rows, labels, strength, variance)
    value = problem.value(fit)
    outputs = fit.outputs(rows.inputs, rows.tasks)
    for _ in range(MOST_STEPS):
        mean = expit(outputs)
        weights = np.maximum(mean * (1 - mean), 1e-6)
        response = outputs + (labels - mean) / weights
        whole = _Sums.of(rows, response, counts * weights).fit(strength, variance)
        part, value = part_that_lowers(partial(problem.value_between, fit, whole), value)
        fit = fit.towards(whole, part)
        before, outputs = outputs, fit.outputs(rows.inputs, rows.tasks)
        change = (outputs - before)[np.abs(before) < CERTAIN]
        if np.abs(change).max(initial=0) < tolerance:
            break
    return fit


@dataclass(frozen=True)
class _Logistic:
    """What a logistic fit minimises: Σ w · loss + λ/2 |β|² + Σ u_t² / 2r."""

    rows: Rows
    labels: Array
    strength: float
    variance: float

    def value(self, fit: Coefficients) -> float:
        """Of a fit."""
        outputs = fit.outputs(self.rows.inputs, self.rows.tasks)
        losses = self.rows.row_weights @ row_losses(outputs, self.labels, "binary")
        weights = np.sum(fit.fixed[:-1] ** 2)
        offsets = np.sum(fit.offsets**2) / self.variance if self.variance else 0.0
        return float(losses + (self.strength * weights + offsets) / 2)

    def value_between(self, fit: Coefficients, other: Coefficients, part: float) -> float:
        """Of what lies between two fits, this part of the way."""
        return self.value(fit.towards(other, part))
