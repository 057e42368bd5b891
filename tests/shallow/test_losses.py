"""Losses of linear models: gradients, intercepts, models and duals, against numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize

from softshare.shallow.losses import LogisticLoss, SquaredLoss, TaskLoss
from softshare.shallow.task_rows import TaskRows, rows_in_long_form


def made() -> TaskRows:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(40, 3))
    labels = (X[:, 0] + generator.logistic(size=40) > 0).astype(float)
    return rows_in_long_form(X, labels, np.repeat([0, 1], (25, 15)).tolist())


def value(loss: TaskLoss, flat: np.ndarray) -> float:
    return loss.at(flat.reshape(loss.shape)).value


def beside_given_margins(rows: TaskRows, *, intercept: bool) -> LogisticLoss:
    given = np.random.default_rng(5).normal(size=40)
    return LogisticLoss(rows, intercept=intercept, given=given)


@pytest.fixture(params=[SquaredLoss.of, LogisticLoss, beside_given_margins])
def loss(request: pytest.FixtureRequest) -> TaskLoss:
    made_loss: TaskLoss = request.param(made(), intercept=True)
    return made_loss


def test_gradients_are_those_of_differences(loss: TaskLoss) -> None:
    flat = np.random.default_rng(1).normal(size=6)
    wanted = optimize.approx_fprime(flat, lambda at: value(loss, at), 1e-6)
    assert_allclose(loss.at(flat.reshape(2, 3)).gradient.ravel(), wanted, atol=1e-4)


def test_the_model_touches_the_loss(loss: TaskLoss) -> None:
    coef = np.random.default_rng(2).normal(size=(2, 3))
    point = loss.at(coef)
    assert_allclose(point.model().gradient(coef), point.gradient, atol=1e-9)


def test_the_dual_meets_the_loss_where_it_is_least_and_is_below_elsewhere(loss: TaskLoss) -> None:
    found = optimize.minimize(lambda at: value(loss, at), np.zeros(6), tol=1e-10)
    least = loss.at(found.x.reshape(2, 3))
    assert_allclose(least.dual(1.0), least.value, rtol=1e-6)
    # −F*(s θ) − ⟨−s ∇f, w⟩ is below f(w) for all weights: here for s ½ and weights elsewhere.
    coef = np.random.default_rng(3).normal(size=(2, 3))
    away = loss.at(coef)
    bound = away.dual(0.5) + 0.5 * float(np.vdot(away.gradient, coef))
    assert bound <= away.value


def test_the_logistic_intercept_makes_rates_right() -> None:
    rows = made()
    coef = np.ones((2, 3))
    intercepts = LogisticLoss(rows, intercept=True).at(coef).intercepts
    for task in range(2):
        margins = rows.inputs[task] @ coef[task] + intercepts[task]
        mean = (1 / (1 + np.exp(-margins))).mean()
        assert_allclose(mean, rows.targets[task].mean(), atol=1e-10)


def test_given_margins_are_those_of_one_more_input_whose_weight_is_one() -> None:
    rows = made()
    given = np.random.default_rng(5).normal(size=40)
    parts = np.split(given, [25])
    with_one_more = [np.column_stack([*pair]) for pair in zip(rows.inputs, parts, strict=True)]
    wider = TaskRows(rows.names, with_one_more, rows.targets, rows.positions)
    coef = np.random.default_rng(6).normal(size=(2, 3))
    beside = LogisticLoss(rows, intercept=False, given=given).at(coef)
    inside = LogisticLoss(wider, intercept=False).at(np.column_stack([coef, np.ones(2)]))
    assert_allclose(beside.value, inside.value)
    assert_allclose(beside.gradient, inside.gradient[:, :3])
