"""GO-MTL is not convex: that it falls, ends where neither factor improves, and finds groups."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from softshare.shallow.go_mtl import GOMTL, balanced
from softshare.shallow.losses import LogisticLoss, SquaredLoss, TaskLoss
from softshare.shallow.task_rows import rows_in_long_form


def groups_that_overlap(
    loss: str = "squared", *, n_rows: int = 40
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nine tasks: three of one latent model, three of another, three of both."""
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(8, 2)))[0].T * 3
    codes = np.array([[1.5, 0]] * 3 + [[0, 1.5]] * 3 + [[1, -1]] * 3)
    task = np.repeat(np.arange(9), n_rows)
    X = random.normal(size=(len(task), 8))
    outputs = np.einsum("nd,nd->n", X, (codes @ basis)[task])
    if loss == "squared":
        return X, outputs + random.normal(size=len(task)), task, codes, basis
    return X, (outputs + random.logistic(size=len(task)) > 0) * 1, task, codes, basis


def loss_at(X: np.ndarray, y: np.ndarray, task: np.ndarray, loss: str) -> TaskLoss:
    rows = rows_in_long_form(X, y, task.tolist())
    if loss == "squared":
        return SquaredLoss.of(rows, intercept=False)
    return LogisticLoss(rows, intercept=False)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_objective_falls_and_is_that_of_the_paper(loss: str) -> None:
    X, y, task, _, _ = groups_that_overlap(loss)
    model = GOMTL(3, 2.0, 1.5, loss=loss, fit_intercept=False).fit(X, y, tasks=task)
    assert (np.diff(model.objective_) <= 0).all()
    assert len(model.objective_) == model.n_iter_ > 2

    margins = np.einsum("nd,nd->n", X, (model.codes_ @ model.basis_)[task])
    terms = (margins - y) ** 2 / 2
    if loss == "logistic":
        terms = np.log1p(np.exp(-np.where(y == 1, margins, -margins)))
    penalty = 2.0 * np.abs(model.codes_).sum() + 1.5 * (model.basis_**2).sum()
    assert model.objective_[-1] == pytest.approx(terms.sum() + penalty)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_neither_factor_improves_at_the_end(loss: str) -> None:
    X, y, task, _, _ = groups_that_overlap(loss)
    mu, lam = 2.0, 1.5
    model = GOMTL(2, mu, lam, loss=loss, fit_intercept=False, tol=1e-10).fit(X, y, tasks=task)
    gradient = loss_at(X, y, task, loss).at(model.coef_).gradient
    by_basis = model.codes_.T @ gradient + 2 * lam * model.basis_
    assert_allclose(by_basis, 0, atol=5e-3)

    by_codes = gradient @ model.basis_.T
    used = model.codes_ != 0
    assert_allclose(by_codes[used], -mu * np.sign(model.codes_[used]), atol=5e-3)
    assert (np.abs(by_codes[~used]) <= mu + 5e-3).all()


def test_a_fit_from_a_fixed_point_stays_there() -> None:
    X, y, task, _, _ = groups_that_overlap()
    model = GOMTL(2, 2.0, 1.5, tol=1e-10, warm_start=True).fit(X, y, tasks=task)
    reached = model.coef_
    model.fit(X, y, tasks=task)
    assert model.n_iter_ <= 3
    assert_allclose(model.coef_, reached, atol=1e-4)


def test_the_groups_that_made_the_data_are_found() -> None:
    X, y, task, codes, basis = groups_that_overlap()
    model = GOMTL(2, 5.0, 1.0).fit(X, y, tasks=task)
    assert_allclose(model.coef_, codes @ basis, atol=0.5)

    used = np.abs(model.codes_) > 0.15 * np.abs(model.codes_).max()
    first = int(used[0].argmax())  # the latent models have no order
    assert used[:, [first, 1 - first]].tolist() == (codes != 0).tolist()


def test_it_beats_learning_alone_where_tasks_share_and_rows_are_few() -> None:
    X, y, task, codes, basis = groups_that_overlap(n_rows=10)
    together = GOMTL(2, 1.0, 1.0).fit(X, y, tasks=task).coef_
    alone = GOMTL(8, 1e-3, 1e-3, max_iter=1000).fit(X, y, tasks=task).coef_
    truth = codes @ basis
    assert ((together - truth) ** 2).sum() < 0.6 * ((alone - truth) ** 2).sum()


def test_balancing_keeps_the_weights_and_makes_the_penalty_least() -> None:
    random = np.random.default_rng(0)
    codes, basis = random.normal(size=(5, 3)), random.normal(size=(3, 4))
    codes[:, 2] = 0  # a latent model that nobody uses

    def penalty(codes: np.ndarray, basis: np.ndarray) -> float:
        return float(2 * np.abs(codes).sum() + 0.5 * (basis[:2] ** 2).sum())

    scaled_codes, scaled_basis = balanced(codes, basis, 2.0, 0.5)
    assert_allclose(scaled_codes @ scaled_basis, codes @ basis)
    least = penalty(scaled_codes, scaled_basis)
    for factor in (0.99, 1.01):
        assert penalty(scaled_codes * factor, scaled_basis / factor) > least


def test_a_warm_start_of_another_number_of_latent_models_is_none() -> None:
    X, y, task, *_ = groups_that_overlap()
    model = GOMTL(1, 2.0, 1.5, warm_start=True).fit(X, y, tasks=task)
    again = model.set_params(n_components=2).fit(X, y, tasks=task)
    fresh = GOMTL(2, 2.0, 1.5).fit(X, y, tasks=task)
    assert_allclose(again.coef_, fresh.coef_, rtol=1e-12)
