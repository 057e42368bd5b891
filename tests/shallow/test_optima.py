"""Every convex method against an independent convex solver, with tasks of unequal numbers of rows,
and the identities between methods.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, MultiTaskLasso, Ridge

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear
from tests.shallow import convex_programs as programs
from tests.shallow.convex_programs import Penalty

SIZES = (3, 7, 12, 30)


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


def unequal_tasks(
    loss: str = "squared", *, sizes: tuple[int, ...] = SIZES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of related tasks, the last of which differs, mixed up."""
    random = np.random.default_rng(seed)
    task = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = random.normal(size=(len(task), 5)) * [1, 2, 1, 0.5, 1] + 1
    coef = np.outer(random.normal(size=len(sizes)), random.normal(size=5)) + 0.5
    coef[-1] = random.normal(size=5) * 2
    outputs = np.einsum("nd,nd->n", X, coef[task]) + random.normal(size=len(sizes))[task]
    if loss == "squared":
        return X, outputs + random.normal(size=len(task)), task
    return X, (outputs - np.median(outputs) + random.logistic(size=len(task)) > 0) * 1, task


def rows_of(X: np.ndarray, y: np.ndarray, task: np.ndarray) -> programs.Rows:
    return [(X[task == t], y[task == t]) for t in np.unique(task)]


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


def test_a_gap_bounds_the_distance_from_the_optimum() -> None:
    X, y, task = unequal_tasks()
    optimum = TraceNormLinear(0.8, tol=1e-12).fit(X, y, tasks=task)
    least = SquaredObjective(X, y, task)(optimum)
    with pytest.warns(ConvergenceWarning, match="after 10 steps is above tol"):
        early = TraceNormLinear(0.8, max_iter=10).fit(X, y, tasks=task)
    reached = SquaredObjective(X, y, task)(early)
    assert 0 < reached - least <= early.optimality_ * reached


class SquaredObjective:
    def __init__(self, X: np.ndarray, y: np.ndarray, task: np.ndarray) -> None:
        self.rows = rows_of(X, y, task)

    def __call__(self, method: LinearTasks) -> float:
        loss = programs.loss_of(self.rows, method.coef_, method.intercept_, loss="squared")
        return loss + value_of(method)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_mtfl_is_mtrl_without_a_ridge_at_twice_the_strength(loss: str) -> None:
    X, y, task = unequal_tasks(loss)
    features = MTFL(0.3, loss=loss, tol=1e-9).fit(X, y, tasks=task)
    relations = MTRL(0.0, 0.6, loss=loss, tol=1e-9).fit(X, y, tasks=task)
    assert_allclose(features.coef_, relations.coef_, atol=1e-6)


@pytest.mark.parametrize("method", [TraceNormLinear(0), MTFL(0), L21(0), MTRL(0, 0)], ids=repr)
def test_without_a_penalty_every_task_is_alone(method: LinearTasks) -> None:
    X, y, task = unequal_tasks(sizes=(8, 12, 30))
    fitted = clone(method).fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        alone = LinearRegression().fit(inputs, targets)
        assert_allclose(fitted.coef_[index], alone.coef_, atol=1e-9)
        assert_allclose(fitted.intercept_[index], alone.intercept_, atol=1e-9)


def test_without_a_penalty_too_few_rows_take_the_shortest_weights() -> None:
    X, y, task = unequal_tasks(sizes=(3, 4))
    fitted = TraceNormLinear(0).fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        alone = LinearRegression().fit(inputs, targets)
        assert_allclose(fitted.coef_[index], alone.coef_, atol=1e-9)


def test_mtrl_without_relations_is_ridge_regression() -> None:
    X, y, task = unequal_tasks()
    fitted = MTRL(2.0, 0.0, tol=1e-12).fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        assert_allclose(fitted.coef_[index], Ridge(2.0).fit(inputs, targets).coef_, atol=1e-6)


def test_l21_of_shared_rows_is_the_multi_task_lasso() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 6)) + 1
    Y = 3 * X[:, :2] @ random.normal(size=(2, 5)) + random.normal(size=(40, 5))
    ours = L21(20.0, tol=1e-10).fit(X, Y)
    theirs = MultiTaskLasso(20.0 / 40, tol=1e-12, max_iter=100_000).fit(X, Y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert ours.chosen_features_.tolist() == [True, True, False, False, False, False]


def test_a_large_strength_on_differences_makes_one_model() -> None:
    X, y, task = unequal_tasks()
    joint = EvgeniouPontil(1e9, 0.5, fit_intercept=False).fit(X, y, tasks=task)
    pooled = Ridge(1.0, fit_intercept=False).fit(X, y)  # scikit-learn's loss has no factor ½
    assert_allclose(joint.coef_, np.tile(pooled.coef_, (len(SIZES), 1)), atol=1e-6)


def test_a_large_strength_on_the_common_part_leaves_tasks_alone() -> None:
    X, y, task = unequal_tasks("logistic", sizes=(30, 40))
    apart = EvgeniouPontil(1.0, 1e9, loss="logistic").fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        # λ_1/T ‖w‖² is scikit-learn's ½ ‖w‖² / C at C = T / (2 λ_1).
        alone = LogisticRegression(C=1.0, tol=1e-10).fit(inputs, targets)
        assert_allclose(apart.coef_[index], alone.coef_[0], atol=1e-4)


def test_equal_strengths_on_low_rank_and_outliers_need_no_outlier() -> None:
    X, y, task = unequal_tasks()
    robust = RMTL(0.8, 0.8 * 1.001, tol=1e-10).fit(X, y, tasks=task)
    low_rank = TraceNormLinear(0.8, tol=1e-10).fit(X, y, tasks=task)
    assert robust.outlier_tasks_ == []
    assert_allclose(robust.coef_, low_rank.coef_, atol=1e-6)
