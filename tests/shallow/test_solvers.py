"""Newton's method over a loss: ridge regressions, steps along a line, and warnings."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from softshare.shallow.losses import LogisticLoss, SquaredLoss
from softshare.shallow.solvers import Apart, along_the_line, minimise, warn_above
from softshare.shallow.task_rows import TaskRows, rows_in_long_form


def made() -> TaskRows:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 3))
    labels = (X[:, 0] + generator.logistic(size=60) > 0).astype(float)
    return rows_in_long_form(X, labels, np.repeat([0, 1], 30).tolist())


def test_apart_is_scikit_learn_s_ridge_and_logistic_regression() -> None:
    rows = made()
    squared = minimise(SquaredLoss.of(rows, intercept=True), Apart(2.0), tol=1e-10, max_iter=50)
    logistic = minimise(LogisticLoss(rows, intercept=True), Apart(2.0), tol=1e-10, max_iter=50)
    assert squared.n_iter == 1
    for task in range(2):
        inputs, labels = rows.inputs[task], rows.targets[task]
        ridge = Ridge(2.0).fit(inputs, labels)
        assert_allclose(squared.coef[task], ridge.coef_, atol=1e-9)
        assert_allclose(squared.intercepts[task], ridge.intercept_, atol=1e-9)
        other = LogisticRegression(C=0.5, tol=1e-10).fit(inputs, labels)
        assert_allclose(logistic.coef[task], other.coef_[0], atol=1e-4)


def test_the_line_is_left_where_a_target_is_uphill() -> None:
    loss = SquaredLoss.of(made(), intercept=True)
    best = minimise(loss, Apart(1.0), tol=1e-12, max_iter=10).parts
    point = loss.at(best.sum(axis=0))
    assert along_the_line(loss, Apart(1.0), point, best, best + 1) is None
    start = np.zeros_like(best)
    moved = along_the_line(loss, Apart(1.0), loss.at(start[0]), start, best)
    assert moved is not None
    assert_allclose(moved[0], best)


def test_what_was_not_reached_is_told() -> None:
    warn_above(1e-3, 1e-4, 5)
    with pytest.warns(ConvergenceWarning, match=r"1.0e-02 after 5 steps is above tol=1.0e-03"):
        warn_above(1e-3, 1e-2, 5)
