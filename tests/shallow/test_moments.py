"""Sums over rows against the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from softshare.shallow import moments as module
from softshare.shallow.moments import Moments, moments, weighted_moments
from softshare.shallow.task_rows import TaskRows, rows_in_columns, rows_in_long_form


def some_rows(n_rows: int = 30) -> TaskRows:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(n_rows, 3)) + 2, random.normal(size=n_rows)
    return rows_in_long_form(X, y, random.choice(list("abc"), n_rows).tolist())


def assert_same(left: Moments, right: Moments) -> None:
    for name in ("weight", "x", "y", "xx", "xy", "yy"):
        assert_allclose(getattr(left, name), getattr(right, name), atol=1e-9)


def test_the_loss_at_its_best_intercepts_is_that_of_the_rows() -> None:
    rows = some_rows()
    sums = moments(rows)
    coef = np.random.default_rng(1).normal(size=(3, 3))
    intercepts = sums.intercepts(coef)
    expected = 0.0
    for task, (inputs, targets) in enumerate(zip(rows.inputs, rows.targets, strict=True)):
        residual = targets - inputs @ coef[task]
        assert intercepts[task] == pytest.approx(residual.mean())
        expected += len(targets) * residual.var() / 2
    quadratic = sums.quadratic(np.ones(3, dtype=bool))
    assert quadratic.value(coef) == pytest.approx(expected)

    step = 1e-6 * np.random.default_rng(2).normal(size=(3, 3))
    rise = quadratic.value(coef + step) - quadratic.value(coef - step)
    assert rise == pytest.approx(2 * np.vdot(quadratic.gradient(coef), step), rel=1e-5)


def test_a_folds_moments_are_what_the_other_rows_lack() -> None:
    rows = some_rows()
    fold = np.arange(30) % 3 == 0
    assert_same(moments(rows) - moments(rows.take(fold)), moments(rows.take(~fold)))


def test_whole_weights_are_repeated_rows() -> None:
    rows = some_rows()
    times = [np.arange(len(targets)) % 3 for targets in rows.targets]
    repeated = TaskRows(
        rows.names,
        [np.repeat(x, n, axis=0) for x, n in zip(rows.inputs, times, strict=True)],
        [np.repeat(y, n) for y, n in zip(rows.targets, times, strict=True)],
        rows.positions,
    )
    weights = [n.astype(float) for n in times]
    products = [n * y for n, y in zip(weights, rows.targets, strict=True)]
    assert_same(weighted_moments(rows, weights, products), moments(repeated))


def test_tasks_with_the_same_rows_share_one_gram_matrix() -> None:
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(20, 3)), random.normal(size=(20, 4))
    shared = moments(rows_in_columns(X, Y, range(4)))
    assert shared.xx.shape == (1, 3, 3)
    copies = [X.copy() for _ in range(4)]
    apart = moments(TaskRows([0, 1, 2, 3], copies, list(Y.T), [np.arange(20)] * 4))
    assert apart.xx.shape == (4, 3, 3)
    coef = random.normal(size=(4, 3))
    free = np.ones(4, dtype=bool)
    assert_allclose(
        shared.quadratic(free).gradient(coef), apart.quadratic(free).gradient(coef), atol=1e-12
    )


def test_a_task_without_rows_has_the_mean_intercept() -> None:
    rows = some_rows()
    empty = TaskRows(
        [*rows.names, "d"],
        [*rows.inputs, np.empty((0, 3))],
        [*rows.targets, np.empty(0)],
        [*rows.positions, np.empty(0, dtype=int)],
    )
    sums = moments(empty)
    coef = np.zeros((4, 3))
    assert sums.intercepts(coef)[3] == pytest.approx(sums.intercepts(coef)[:3].mean())
    assert_allclose(sums.quadratic(np.ones(4, dtype=bool)).gradient(coef)[3], 0)


def test_too_many_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 26)
    with pytest.raises(ValueError, match="3 Gram matrices of 3 features"):
        moments(some_rows())
