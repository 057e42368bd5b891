"""Weights of rows: a row of weight 2 counts as two of them, and equal weights change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge

from softshare.shallow import boosted_trees, forest, mixed_model, pooled_ridge, ridge_apart
from softshare.shallow.boosted import Boosted
from softshare.shallow.boosted_apart import BoostedApart
from softshare.shallow.forest import Forest, shrunk_means
from softshare.shallow.forest_apart import ForestApart
from softshare.shallow.mixed_model import MixedModel
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.ridge_apart import RidgeApart
from softshare.shallow.rows import checked_rows

CASES = (
    (RidgeApart, "regression"),
    (RidgeApart, "multiclass"),
    (PooledRidge, "regression"),
    (PooledRidge, "multiclass"),
    (MixedModel, "regression"),
    (MixedModel, "binary"),
)


def data(kind, *, n=42, n_tasks=3, seed=0):
    """Inputs, targets, tasks and whole weights from 1 to 3."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(n, 3))
    tasks = np.arange(n) % n_tasks
    values = inputs @ [1.0, -0.5, 0.0] + 0.5 * tasks + generator.normal(size=n)
    if kind != "regression":
        edges = [0.5] if kind == "binary" else [0.0, 1.0]
        values = np.digitize(values, edges).astype(float)
    return inputs, values, tasks, generator.integers(1, 4, size=n)


def repeated(weights, *arrays):
    return [np.repeat(array, weights, axis=0) for array in arrays]


@pytest.fixture
def fixed_strengths(monkeypatch):
    """One strength each: folds of repeated rows are others, and would choose otherwise."""
    monkeypatch.setattr(ridge_apart, "STRENGTHS", (3.0,))
    monkeypatch.setattr(pooled_ridge, "STRENGTHS", (3.0,))
    monkeypatch.setattr(pooled_ridge, "OFFSET_VARIANCES", (0.1,))
    monkeypatch.setattr(
        pooled_ridge,
        "search_by_folds",
        lambda losses, grids, start: search(losses, grids, start=[grid[0] for grid in grids]),
    )
    search = mixed_model.search_by_folds


@pytest.mark.parametrize(("model", "kind"), CASES)
def test_a_weight_is_so_many_equal_rows(model, kind, fixed_strengths):
    inputs, targets, tasks, weights = data(kind)
    weighted = model(kind, n_folds=2).fit(inputs, targets, tasks, weights=weights)
    many = model(kind, n_folds=2).fit(*repeated(weights, inputs, targets, tasks))
    # likelihoods of labels and variances are maximised to a tolerance
    close = 1e-4 if model is MixedModel else 1e-6
    np.testing.assert_allclose(
        weighted.predict(inputs, tasks), many.predict(inputs, tasks), atol=close
    )


def test_a_weight_is_so_many_rows_of_a_group():
    inputs, targets, tasks, weights = data("regression")
    groups = np.arange(42) // 6
    rows = checked_rows(inputs, targets, tasks, groups, kind="regression", weights=weights)
    again = repeated(weights, inputs, targets, tasks, groups)
    many = checked_rows(*again, kind="regression")
    members = np.array([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    found = [
        mixed_model.estimated_strengths(one, one.targets, members, None, group=0.4)
        for one in (rows, many)
    ]
    np.testing.assert_allclose(found[0].ratios, found[1].ratios, rtol=1e-3)
    strengths = found[0]
    fits = [mixed_model.solved(one, one.targets, members, strengths) for one in (rows, many)]
    np.testing.assert_allclose(fits[0].fixed, fits[1].fixed, atol=1e-10)
    np.testing.assert_allclose(fits[0].effects, fits[1].effects, atol=1e-10)
    np.testing.assert_allclose(fits[0].noise, fits[1].noise)


@pytest.mark.parametrize(("model", "kind"), [CASES[0], (RidgeApart, "binary"), *CASES[2::2]])
def test_weights_of_1_change_nothing(model, kind):
    inputs, targets, tasks, _ = data(kind, n=24)
    plain = model(kind, n_folds=2).fit(inputs, targets, tasks)
    weighted = model(kind, n_folds=2).fit(inputs, targets, tasks, weights=np.ones(24))
    np.testing.assert_allclose(weighted.held_out_, plain.held_out_, rtol=0, atol=1e-9)
    found = weighted.predict(inputs, tasks)
    np.testing.assert_allclose(found, plain.predict(inputs, tasks), rtol=0, atol=1e-9)


def test_ridge_of_one_task_is_scikit_learn_s(fixed_strengths):
    inputs, targets, _, weights = data("regression", n_tasks=1)
    found = RidgeApart().fit(inputs, targets, np.zeros(42), weights=weights)
    scaled = found.scaling_(inputs)
    oracle = Ridge(alpha=3.0).fit(scaled, targets, sample_weight=weights)
    np.testing.assert_allclose(found.coef_[0, :-1, 0], oracle.coef_)
    np.testing.assert_allclose(found.coef_[0, -1, 0], oracle.intercept_)


def test_logistic_ridge_of_pooled_rows_is_scikit_learn_s(fixed_strengths, monkeypatch):
    monkeypatch.setattr(pooled_ridge, "OFFSET_VARIANCES", (0.0,))
    inputs, labels, tasks, weights = data("binary")
    found = PooledRidge("binary").fit(inputs, labels, tasks, weights=weights)
    oracle = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000)
    oracle.fit(found.scaling_(inputs), labels, sample_weight=weights)
    np.testing.assert_allclose(found.coef_, oracle.coef_, atol=1e-5)
    np.testing.assert_allclose(found.intercept_, oracle.intercept_, atol=1e-5)


def test_held_out_rows_choose_by_their_weights():
    """A strong penalty suits the rows of one half, a weak one those of the other."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(80, 12))
    is_line = np.arange(80) < 40
    targets = np.where(is_line, inputs[:, 0], generator.normal(size=80))
    tasks = np.where(is_line, 0, 1)
    strengths = []
    for of_line in (100.0, 0.01):
        weights = np.where(is_line, of_line, 1.0)
        weights = weights / weights.mean()
        strengths.append(RidgeApart().fit(inputs, targets, tasks, weights=weights).strengths_[0])
    assert strengths[0] < strengths[1]


TREES = (
    Boosted("binary", n_folds=2),
    BoostedApart("binary", n_folds=2),
    Forest("binary", n_trees=20, n_folds=2),
    ForestApart("binary", n_trees=20, n_folds=2),
)


ALWAYS = [(trees, True) for trees in TREES]


@pytest.mark.parametrize(("trees", "has_lightgbm"), [*ALWAYS, (TREES[0], False)], ids=str)
def test_trees_say_what_heavy_rows_say(trees, has_lightgbm, monkeypatch):
    """Rows of either class that inputs cannot tell apart: the rate is that of the weights."""
    if not has_lightgbm:
        monkeypatch.setattr(boosted_trees, "lightgbm", None)
        monkeypatch.setattr(boosted_trees, "STAGES", 40)
    monkeypatch.setattr(forest, "ROWS_IN_LEAF", (6,))
    monkeypatch.setattr(forest, "INPUTS_TRIED", (1.0,))
    monkeypatch.setattr(forest, "TREES_TO_CHOOSE", 5)
    inputs = np.repeat(np.arange(2.0), 60)[:, None]
    labels, tasks = np.arange(120) % 2 * 1.0, np.zeros(120)
    plain = clone(trees).fit(inputs, labels, tasks)
    same = clone(trees).fit(inputs, labels, tasks, weights=np.ones(120))
    np.testing.assert_allclose(same.held_out_, plain.held_out_, atol=1e-12)
    np.testing.assert_allclose(same.predict(inputs, tasks), plain.predict(inputs, tasks))
    # three positives to one negative where the input is 1
    weights = np.where((inputs[:, 0] == 1) & (labels == 1), 3.0, 1.0)
    heavy = clone(trees).fit(inputs, labels, tasks, weights=weights)
    rates = expit(heavy.predict([[0.0], [1.0]], [0, 0]))
    np.testing.assert_allclose(rates, [0.5, 0.75], atol=0.08)
    held_out = expit(heavy.held_out_)
    assert held_out[60:].mean() - held_out[:60].mean() > 0.1


def test_trees_start_from_a_weighted_base():
    inputs, targets, tasks, weights = data("regression", n=60)
    model = Boosted(start="pooled-ridge", n_folds=2)
    found = clone(model).fit(inputs, targets, tasks, weights=weights)
    base = PooledRidge().fit(inputs, targets, tasks, weights=weights)
    np.testing.assert_allclose(found.base_.coef_, base.coef_)


def test_shrunk_means_are_those_of_repeated_rows():
    for kind in ("regression", "multiclass"):
        inputs, targets, tasks, weights = data(kind)
        rows = checked_rows(inputs, targets, tasks, None, kind=kind, weights=weights)
        many = checked_rows(*repeated(weights, inputs, targets, tasks), None, kind=kind)
        np.testing.assert_allclose(shrunk_means(rows), shrunk_means(many))


@pytest.mark.parametrize("weights", [[1.0, 0.0, 1.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0]])
def test_rows_that_cannot_count_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be finite and above 0; leave out"):
        checked_rows(
            np.ones((3, 1)), np.ones(3), np.ones(3), None, kind="regression", weights=weights
        )
    with pytest.raises(ValueError, match=r"weights must have the shape \(3,\), not \(2,\)"):
        checked_rows(
            np.ones((3, 1)), np.ones(3), np.ones(3), None, kind="regression", weights=[1, 2]
        )
