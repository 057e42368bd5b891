"""Low rank: its duality gap, and no penalty at all."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

from softshare.shallow.trace_norm import TraceNormLinear
from tests.shallow import convex_programs as programs
from tests.shallow.unequal_tasks import rows_of, unequal_tasks


def objective(model: TraceNormLinear, X: np.ndarray, y: np.ndarray, task: np.ndarray) -> float:
    """The squared loss and the trace norm, from their definitions."""
    rows = rows_of(X, y, task)
    loss = programs.loss_of(rows, model.coef_, model.intercept_, loss="squared")
    return loss + model.gamma * float(np.linalg.norm(model.coef_, "nuc"))


def test_a_gap_bounds_the_distance_from_the_optimum() -> None:
    X, y, task = unequal_tasks()
    optimum = TraceNormLinear(0.8, tol=1e-12).fit(X, y, tasks=task)
    least = objective(optimum, X, y, task)
    with pytest.warns(ConvergenceWarning, match="after 10 steps is above tol"):
        early = TraceNormLinear(0.8, max_iter=10).fit(X, y, tasks=task)
    reached = objective(early, X, y, task)
    assert 0 < reached - least <= early.optimality_ * reached


def test_without_a_penalty_too_few_rows_take_the_shortest_weights() -> None:
    X, y, task = unequal_tasks(sizes=(3, 4))
    fitted = TraceNormLinear(0).fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        alone = LinearRegression().fit(inputs, targets)
        assert_allclose(fitted.coef_[index], alone.coef_, atol=1e-9)
