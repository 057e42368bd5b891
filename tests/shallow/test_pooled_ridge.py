"""Pooled ridge against the dense equations that it eliminates offsets from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from softshare.shallow.pooled_fits import fit_classes
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.rows import Rows, checked_rows


def made_rows(kind: str = "regression", n_rows: int = 60) -> Rows:
    """Four tasks of unequal size and four inputs, the last all ones."""
    generator = np.random.default_rng(0)
    inputs = np.column_stack([generator.normal(size=(n_rows, 3)), np.ones(n_rows)])
    tasks = np.sort(generator.choice(4, size=n_rows, p=(0.5, 0.3, 0.15, 0.05)))
    targets = inputs @ (1.0, -1.0, 0.5, 2.0) + tasks + generator.normal(size=n_rows)
    if kind == "binary":
        targets = targets > np.median(targets)
    return checked_rows(inputs, targets, tasks, None, kind=kind)


def dense_design(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Inputs beside one dummy a task, and each column's penalty for λ = 2 and r = 0.3."""
    dummies = np.eye(rows.n_tasks)[rows.tasks]
    penalties = np.array([2.0] * 3 + [0.0] + [1 / 0.3] * rows.n_tasks)
    return np.hstack([rows.inputs, dummies]), penalties


def test_offsets_are_eliminated_exactly() -> None:
    rows = made_rows()
    design, penalties = dense_design(rows)
    wanted = np.linalg.solve(design.T @ design + np.diag(penalties), design.T @ rows.targets)
    (fit,) = fit_classes(rows, 2.0, 0.3)
    np.testing.assert_allclose(fit.fixed, wanted[:4], atol=1e-7)
    np.testing.assert_allclose(fit.offsets, wanted[4:], atol=1e-7)


def test_logistic_fit_is_the_minimum_of_its_objective() -> None:
    rows = made_rows("binary")
    design, penalties = dense_design(rows)
    signs = 2 * rows.targets - 1

    def objective(beta: np.ndarray) -> float:
        losses = np.logaddexp(0, -signs * (design @ beta))
        return float(losses.sum() + penalties @ beta**2 / 2)

    wanted = optimize.minimize(objective, np.zeros(design.shape[1]), tol=1e-10).x
    (fit,) = fit_classes(rows, 2.0, 0.3)
    np.testing.assert_allclose(fit.fixed, wanted[:4], atol=1e-4)
    np.testing.assert_allclose(fit.offsets, wanted[4:], atol=1e-4)


def test_offsets_are_kept_where_tasks_differ_and_dropped_where_they_do_not() -> None:
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(400, 2))
    tasks = np.repeat(np.arange(40), 10)
    noise = generator.normal(size=400)
    differ = PooledRidge().fit(inputs, inputs[:, 0] + 3 * (tasks % 2) + noise, tasks)
    alike = PooledRidge().fit(inputs, inputs[:, 0] + noise, tasks)
    assert differ.offset_variance_ >= 1
    assert alike.offset_variance_ <= 0.1


def test_rows_of_one_group_do_not_pass_for_a_task_s_own() -> None:
    # Each task holds three persons with six equal rows: 18 rows know no more of a task than three.
    generator = np.random.default_rng(2)
    groups = np.repeat(np.arange(60), 6)
    tasks = groups // 3
    inputs = generator.normal(size=(360, 2))
    targets = generator.normal(size=60)[groups] + 0.1 * generator.normal(size=360)
    apart = PooledRidge().fit(inputs, targets, tasks)
    grouped = PooledRidge().fit(inputs, targets, tasks, groups)
    assert grouped.offset_variance_ < apart.offset_variance_


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_more_inputs_than_rows_and_tasks_never_seen(kind: str) -> None:
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(30, 50))
    tasks = np.repeat(["a", "b", "c"], 10)
    n_classes = {"regression": 1, "binary": 2, "multiclass": 3}[kind]
    targets = generator.normal(size=30)
    if n_classes > 1:
        targets = np.digitize(targets, np.quantile(targets, np.arange(1, n_classes) / n_classes))
    model = PooledRidge(kind).fit(inputs, targets, tasks)
    outputs = model.predict(inputs, ["zz"] * 30)
    assert outputs.shape == ((30, 3) if kind == "multiclass" else (30,))
    np.testing.assert_allclose(
        outputs, (model.scaling_(inputs) @ model.coef_.T + model.intercept_).reshape(outputs.shape)
    )


def test_wrong_rows_are_refused() -> None:
    inputs = np.zeros((3, 1))
    with pytest.raises(ValueError, match="y must have the shape"):
        PooledRidge().fit(inputs, [1.0], [0, 0, 0])
    with pytest.raises(ValueError, match="must hold the classes 0 and 1"):
        PooledRidge("binary").fit(inputs, [0, 1, 2], [0, 0, 0])
    with pytest.raises(ValueError, match="X must be finite"):
        PooledRidge().fit(inputs + np.nan, [0, 1, 2], [0, 0, 0])
