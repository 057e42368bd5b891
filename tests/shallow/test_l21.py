"""Common features against scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from sklearn.linear_model import MultiTaskLasso

from softshare.shallow.l21 import L21


def test_l21_of_shared_rows_is_the_multi_task_lasso() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 6)) + 1
    Y = 3 * X[:, :2] @ random.normal(size=(2, 5)) + random.normal(size=(40, 5))
    ours = L21(20.0, tol=1e-10).fit(X, Y)
    theirs = MultiTaskLasso(20.0 / 40, tol=1e-12, max_iter=100_000).fit(X, Y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert ours.chosen_features_.tolist() == [True, True, False, False, False, False]
