"""A common model and differences, at the ends of both strengths."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression, Ridge

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from tests.shallow.unequal_tasks import SIZES, rows_of, unequal_tasks


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
