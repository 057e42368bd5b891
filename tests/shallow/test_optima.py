"""Every convex method against an independent convex solver, with tasks of unequal numbers of rows,
and the identities between methods.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear
from tests.shallow import convex_programs as programs
from tests.shallow.convex_programs import Penalty
from tests.shallow.unequal_tasks import rows_of, unequal_tasks


def nuclear(coef: np.ndarray) -> float:
    return float(np.linalg.norm(coef, "nuc"))


def value_of(method: LinearTasks) -> float:
    """The penalty of what a method has found, from its definition; of covariances at their best."""
    coef = method.coef_
    match method:
        case EvgeniouPontil():
            own = method.lambda_1 / len(coef) * ((coef - method.common_coef_) ** 2).sum()
            return float(own + method.lambda_2 * (method.common_coef_**2).sum())
        case MTFL():
            return method.gamma * nuclear(coef) ** 2
        case MTRL():
            own = method.lambda_1 / 2 * (coef**2).sum()
            return float(own + method.lambda_2 / 2 * nuclear(coef) ** 2)
        case RMTL():
            norms = np.linalg.norm(method.outlier_coef_, axis=1)
            return float(method.alpha * nuclear(method.low_rank_coef_) + method.beta * norms.sum())
        case TraceNormLinear():
            return method.gamma * nuclear(coef)
        case L21():
            return float(method.gamma * np.linalg.norm(coef, axis=0).sum())
    raise TypeError(method)


METHODS: list[tuple[LinearTasks, Penalty]] = [
    (EvgeniouPontil(2.0, 0.5), programs.evgeniou_pontil(2.0, 0.5)),
    (EvgeniouPontil(0.3, 0.0), programs.evgeniou_pontil(0.3, 0.0)),
    (MTFL(0.2), programs.mtfl(0.2)),
    (MTRL(0.3, 0.5), programs.mtrl(0.3, 0.5)),
    (MTRL(0.0, 0.5), programs.mtrl(0.0, 0.5)),
    (RMTL(1.0, 0.7), programs.rmtl(1.0, 0.7)),
    (TraceNormLinear(0.8), programs.trace_norm(0.8)),
    (L21(0.8), programs.l21(0.8)),
]


@pytest.mark.parametrize(
    ("loss", "fit_intercept"), [("squared", True), ("squared", False), ("logistic", True)]
)
@pytest.mark.parametrize(("method", "penalty"), METHODS, ids=[repr(pair[0]) for pair in METHODS])
def test_the_optimum_is_that_of_an_independent_solver(
    method: LinearTasks, penalty: Penalty, loss: str, fit_intercept: bool
) -> None:
    X, y, task = unequal_tasks(loss)
    rows = rows_of(X, y, task)
    best = programs.optimum(rows, penalty, loss=loss, fit_intercept=fit_intercept)

    fitted = clone(method).set_params(loss=loss, fit_intercept=fit_intercept)
    fitted.fit(X, y, tasks=task)
    reached = programs.loss_of(rows, fitted.coef_, fitted.intercept_, loss=loss)
    assert fitted.optimality_ <= 1e-6
    assert_allclose(reached + value_of(fitted), best.value, rtol=1e-6)
    # The solver's own weights are as accurate as the root of its objective.
    assert_allclose(fitted.coef_, best.coef, rtol=1e-3, atol=1e-3)
    assert_allclose(fitted.intercept_, best.intercept, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", [TraceNormLinear(0), MTFL(0), L21(0), MTRL(0, 0)], ids=repr)
def test_without_a_penalty_every_task_is_alone(method: LinearTasks) -> None:
    X, y, task = unequal_tasks(sizes=(8, 12, 30))
    fitted = clone(method).fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        alone = LinearRegression().fit(inputs, targets)
        assert_allclose(fitted.coef_[index], alone.coef_, atol=1e-9)
        assert_allclose(fitted.intercept_[index], alone.intercept_, atol=1e-9)
