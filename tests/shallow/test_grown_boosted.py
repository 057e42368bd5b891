"""Boosted trees as arrays say what the library that grew them says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from softshare.shallow.grown_boosted import of_histograms, of_lightgbm
from tests.shallow.rows_for_trees import made_rows, new_rows


@pytest.mark.parametrize("missing", ["in training", "only later", "never"])
@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_boosters(kind: str, missing: str) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    design, targets = made_rows()
    asked = new_rows(design)
    if missing == "in training":
        design[::7, 0] = np.nan
    if missing != "never":
        asked[::3, 0] = np.nan
    if kind != "regression":
        targets = np.digitize(targets, (0,) if kind == "binary" else (-1, 1))
    parameters = {"objective": kind, "num_leaves": 8, "verbosity": -1, "num_threads": 1}
    # Few rows are enough to tell categories apart by.
    parameters |= {"min_data_per_group": 5, "cat_smooth": 1.0, "cat_l2": 0.1}
    parameters |= {"num_class": 3} if kind == "multiclass" else {}
    data = lightgbm.Dataset(design, targets, categorical_feature=[3], params=parameters)
    booster = lightgbm.train(parameters, data, 20)
    arrays = of_lightgbm(booster, 3 if kind == "multiclass" else 1)
    wanted = booster.predict(asked, raw_score=True).reshape(len(asked), -1)
    np.testing.assert_allclose(arrays.outputs(asked), wanted, rtol=0, atol=1e-12)
    # Else the sets of categories would not be tried.
    assert len(arrays.sets.starts) > 3


def test_a_booster_that_found_nothing_to_divide() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    data = lightgbm.Dataset(np.zeros((30, 1)), np.full(30, 2.5), params={"verbosity": -1})
    booster = lightgbm.train({"verbosity": -1}, data, 3)
    asked = np.array([[0.0], [1.0]])
    wanted = booster.predict(asked)[:, None]
    np.testing.assert_allclose(of_lightgbm(booster, 1).outputs(asked), wanted, atol=1e-12)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_histogram_trees(classes: int) -> None:
    design, targets = made_rows()
    # Categories that leave gaps, and some that are missing.
    some = (design[:, 3] % 5 != 1) & (design[:, 3] < 60)
    train, targets = design[some], targets[some]
    train[::11, 3] = np.nan
    if classes:
        targets = np.digitize(targets, (-1, 1)[: classes - 1])
    make = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = make(max_iter=20, max_leaf_nodes=8, categorical_features=[3], random_state=0)
    model.fit(train, targets)
    codes = np.nan_to_num(train[:, 3], nan=-1).astype(np.int64)
    n_scores = classes if classes == 3 else 1
    arrays = of_histograms(model, codes, np.arange(n_scores), n_scores)
    asked = new_rows(design)
    asked = asked[~(asked[:, 3] >= 60)]
    said = arrays.outputs(asked)
    wanted = (model.decision_function if classes else model.predict)(asked)
    np.testing.assert_allclose(said, wanted.reshape(said.shape), rtol=0, atol=1e-12)
