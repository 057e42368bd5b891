"""Low rank and outliers."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear
from tests.shallow.unequal_tasks import unequal_tasks


def test_equal_strengths_on_low_rank_and_outliers_need_no_outlier() -> None:
    X, y, task = unequal_tasks()
    robust = RMTL(0.8, 0.8 * 1.001, tol=1e-10).fit(X, y, tasks=task)
    low_rank = TraceNormLinear(0.8, tol=1e-10).fit(X, y, tasks=task)
    assert robust.outlier_tasks_ == []
    assert_allclose(robust.coef_, low_rank.coef_, atol=1e-6)


def test_a_robust_model_names_its_outlier() -> None:
    random = np.random.default_rng(0)
    coef = np.outer(random.normal(size=8) + 2, random.normal(size=6))
    coef[3] = random.normal(size=6) * 3
    task = np.repeat(np.arange(8), 30)
    X = random.normal(size=(240, 6))
    y = np.einsum("nd,nd->n", X, coef[task]) + random.normal(size=240) * 0.5
    names = np.array(list("abcdefgh"))[task]
    model = RMTL(20.0, 15.0).fit(X, y, tasks=names)
    assert model.outlier_tasks_ == ["d"]
    assert_allclose(model.low_rank_coef_ + model.outlier_coef_, model.coef_)
    assert len(model.basis_) <= 2
