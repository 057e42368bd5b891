"""The methods' objectives written out as convex programs, for a solver that knows nothing of them.

The covariances of MTFL and MTRL are variables here, as in their papers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cvxpy
import numpy as np
from scipy.special import expit

Rows = list[tuple[np.ndarray, np.ndarray]]
Penalty = Callable[[cvxpy.Variable], tuple[cvxpy.Expression, list[cvxpy.Constraint]]]


@dataclass(frozen=True)
class Optimum:
    value: float
    coef: np.ndarray
    intercept: np.ndarray


def optimum(rows: Rows, penalty: Penalty, *, loss: str, fit_intercept: bool) -> Optimum:
    """The least of the loss, a sum over rows, plus a penalty of W, ``(T, D)``."""
    coef = cvxpy.Variable((len(rows), rows[0][0].shape[1]))
    intercept = cvxpy.Variable(len(rows))
    constraints = [] if fit_intercept else [intercept == 0]
    terms = []
    for task, (X, y) in enumerate(rows):
        margins = X @ coef[task] + intercept[task]
        if loss == "squared":
            terms.append(cvxpy.sum_squares(margins - y) / 2)
        else:
            terms.append(cvxpy.sum(cvxpy.logistic(margins)) - y @ margins)
    extra, more = penalty(coef)
    problem = cvxpy.Problem(cvxpy.Minimize(sum(terms) + extra), constraints + more)
    problem.solve(solver=cvxpy.CLARABEL)
    return Optimum(problem.value, coef.value, intercept.value)


def loss_of(rows: Rows, coef: np.ndarray, intercept: np.ndarray, *, loss: str) -> float:
    """The sum of a loss over rows, from its definition."""
    total = 0.0
    for (X, y), weights, offset in zip(rows, coef, intercept, strict=True):
        margins = X @ weights + offset
        if loss == "squared":
            total += ((margins - y) ** 2).sum() / 2
        else:
            total -= np.log(np.where(y == 1, expit(margins), expit(-margins))).sum()
    return total


def evgeniou_pontil(lambda_1: float, lambda_2: float) -> Penalty:
    def penalty(coef: cvxpy.Variable) -> tuple[cvxpy.Expression, list[cvxpy.Constraint]]:
        common = cvxpy.Variable(coef.shape[1])
        own = [coef[task] - common for task in range(coef.shape[0])]
        differences = sum(cvxpy.sum_squares(difference) for difference in own)
        own_part = lambda_1 / coef.shape[0] * differences
        return own_part + lambda_2 * cvxpy.sum_squares(common), []

    return penalty


def mtfl(gamma: float) -> Penalty:
    def penalty(coef: cvxpy.Variable) -> tuple[cvxpy.Expression, list[cvxpy.Constraint]]:
        features = cvxpy.Variable((coef.shape[1], coef.shape[1]), PSD=True)
        return gamma * cvxpy.matrix_frac(coef.T, features), [cvxpy.trace(features) <= 1]

    return penalty


def mtrl(lambda_1: float, lambda_2: float) -> Penalty:
    def penalty(coef: cvxpy.Variable) -> tuple[cvxpy.Expression, list[cvxpy.Constraint]]:
        tasks = cvxpy.Variable((coef.shape[0], coef.shape[0]), PSD=True)
        own = lambda_1 / 2 * cvxpy.sum_squares(coef)
        related = lambda_2 / 2 * cvxpy.matrix_frac(coef, tasks)
        return own + related, [cvxpy.trace(tasks) == 1]

    return penalty


def rmtl(alpha: float, beta: float) -> Penalty:
    def penalty(coef: cvxpy.Variable) -> tuple[cvxpy.Expression, list[cvxpy.Constraint]]:
        outliers = cvxpy.Variable(coef.shape)
        norms = cvxpy.sum(cvxpy.norm(outliers, 2, axis=1))
        return alpha * cvxpy.normNuc(coef - outliers) + beta * norms, []

    return penalty


def trace_norm(gamma: float) -> Penalty:
    return lambda coef: (gamma * cvxpy.normNuc(coef), [])


def l21(gamma: float) -> Penalty:
    return lambda coef: (gamma * cvxpy.sum(cvxpy.norm(coef, 2, axis=0)), [])
