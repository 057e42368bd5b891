"""Forests as arrays say what scikit-learn says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from softshare.shallow.grown_trees import of_forest
from tests.shallow.rows_for_trees import made_rows


@pytest.mark.parametrize("leaf", [1, 5])
def test_forests_of_numbers(leaf: int) -> None:
    design, targets = made_rows()
    forest = ExtraTreesRegressor(20, min_samples_leaf=leaf, random_state=0).fit(design, targets)
    arrays = of_forest(forest, None, 1)
    asked = np.vstack([design, np.random.default_rng(2).normal(size=(50, 4))])
    rounded = asked.astype(np.float32).astype(np.float64)
    wanted = forest.predict(asked)
    np.testing.assert_allclose(arrays.outputs(rounded)[:, 0], wanted, rtol=0, atol=1e-12)


def test_forests_of_classes_of_which_one_is_missing() -> None:
    design, targets = made_rows()
    classes = np.digitize(targets, (-1, 0, 1))
    some = classes != 2
    forest = ExtraTreesClassifier(20, min_samples_leaf=3, random_state=0)
    forest.fit(design[some], classes[some])
    arrays = of_forest(forest, forest.classes_, 4)
    said = arrays.outputs(design.astype(np.float32).astype(np.float64))
    wanted = forest.predict_proba(design)
    np.testing.assert_allclose(said[:, [0, 1, 3]], wanted, rtol=0, atol=1e-12)
    assert not said[:, 2].any()
