"""Trees as a module say what they say as arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor

from softshare.models.export.trees import TreesOfRows, depth_of, rounded
from softshare.shallow.grown_boosted import of_histograms, of_lightgbm
from softshare.shallow.tree_arrays import TreeArrays, joined

N_CATEGORIES = 30


def made_rows() -> tuple[np.ndarray, np.ndarray]:
    """Rows of single precision, the last column a category of which some leave gaps."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(400, 2)).astype(np.float32)
    categories = np.arange(400) % N_CATEGORIES
    categories[categories == 7] = 8
    targets = np.sin(3 * inputs[:, 0]) + random.normal(size=N_CATEGORIES)[categories]
    return np.column_stack([inputs, categories]).astype(np.float64), targets


def boosted(library: str, seed: int = 0, rounds: int = 12) -> TreeArrays:
    design, targets = made_rows()
    targets = targets + np.random.default_rng(seed).normal(size=400)
    if library == "scikit-learn":
        design[::9, 2] = np.nan
        model = HistGradientBoostingRegressor(max_iter=rounds, categorical_features=[2])
        model.fit(design, targets)
        codes = np.nan_to_num(design[:, 2], nan=-1).astype(int)
        return of_histograms(model, codes, np.zeros(1, dtype=int), 1)
    lightgbm = pytest.importorskip("lightgbm")
    settings = {"verbosity": -1, "min_data_per_group": 5, "cat_smooth": 1.0, "num_threads": 1}
    data = lightgbm.Dataset(design, targets, categorical_feature=[2], params=settings)
    return of_lightgbm(lightgbm.train(settings, data, rounds), 1)


@pytest.mark.parametrize("library", ["lightgbm", "scikit-learn"])
def test_sets_of_categories_and_missing_ones(library: str) -> None:
    arrays = boosted(library)
    assert len(arrays.sets.starts) > 3
    design, _ = made_rows()
    design[::5, 2] = -1
    module = TreesOfRows(arrays)
    said = module(torch.from_numpy(design.astype(np.float32)), torch.zeros(400, dtype=torch.int64))
    np.testing.assert_allclose(said.numpy(), arrays.outputs(design), rtol=0, atol=1e-5)


def test_each_task_s_trees_of_which_some_have_fewer() -> None:
    parts = [boosted("lightgbm", 0, 3), boosted("lightgbm", 1, 8)]
    arrays = joined(parts)
    module = TreesOfRows(arrays, np.array([0, 3, 3, 11]))
    design, _ = made_rows()
    design = design[:60]
    tasks = np.arange(60) % 3
    said = module(torch.from_numpy(design.astype(np.float32)), torch.from_numpy(tasks)).numpy()
    for task, wanted in ((0, parts[0]), (2, parts[1])):
        mine = tasks == task
        np.testing.assert_allclose(said[mine], wanted.outputs(design[mine]), rtol=0, atol=1e-5)
    assert not said[tasks == 1].any()


def test_the_depth_is_that_of_the_deepest_leaf() -> None:
    arrays = boosted("lightgbm", rounds=1)

    def depth(node: int) -> int:
        child = int(arrays.children[node])
        return 0 if arrays.features[node] < 0 else 1 + max(depth(child), depth(child + 1))

    assert depth_of(arrays) == depth(int(arrays.roots[0]))


@given(st.floats(-(2.0**99), 2.0**99), st.floats(-(2.0**99), 2.0**99, width=32))
def test_rounded_thresholds_divide_single_precision_alike(threshold: float, value: float) -> None:
    (single,) = rounded(np.array([threshold]))
    assert (np.float32(value) <= single) == (value <= threshold)
    nearest = np.float32(threshold)
    assert (nearest <= single) == (float(nearest) <= threshold)
