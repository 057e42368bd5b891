"""Learned features: the identity with learned relations."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from tests.shallow.unequal_tasks import unequal_tasks


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_mtfl_is_mtrl_without_a_ridge_at_twice_the_strength(loss: str) -> None:
    X, y, task = unequal_tasks(loss)
    features = MTFL(0.3, loss=loss, tol=1e-9).fit(X, y, tasks=task)
    relations = MTRL(0.0, 0.6, loss=loss, tol=1e-9).fit(X, y, tasks=task)
    assert_allclose(features.coef_, relations.coef_, atol=1e-6)
