"""Learned relations between tasks, and none."""

from __future__ import annotations

from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from softshare.shallow.mtrl import MTRL
from tests.shallow.unequal_tasks import rows_of, unequal_tasks


def test_mtrl_without_relations_is_ridge_regression() -> None:
    X, y, task = unequal_tasks()
    fitted = MTRL(2.0, 0.0, tol=1e-12).fit(X, y, tasks=task)
    for index, (inputs, targets) in enumerate(rows_of(X, y, task)):
        assert_allclose(fitted.coef_[index], Ridge(2.0).fit(inputs, targets).coef_, atol=1e-6)
