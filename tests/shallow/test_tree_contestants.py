"""Boosted trees and forests: what they must learn, that they repeat, and what they refuse."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from softshare.shallow import boosted, forest
from softshare.shallow.boosted import Boosted
from softshare.shallow.forest import Forest, shrunk_means
from softshare.shallow.rows import checked_rows


def made(kind: str, n_tasks: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An exclusive or of two inputs, and offsets of the tasks: no linear model sees the first."""
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(n_tasks), 60)
    inputs = generator.normal(size=(len(tasks), 2))
    targets = 3.0 * (np.prod(inputs, axis=1) > 0) + tasks % 2
    targets += 0.1 * generator.normal(size=len(tasks))
    if kind == "binary":
        targets = 1.0 * (targets > 2)
    if kind == "multiclass":
        targets = np.digitize(targets, (0.5, 2.0))
    return inputs, targets, tasks


@pytest.fixture(params=["lightgbm", "scikit-learn", "forest"])
def contestant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type:
    if request.param == "scikit-learn":
        monkeypatch.setattr(boosted, "lightgbm", None)
    else:
        pytest.importorskip("lightgbm")
    monkeypatch.setattr(boosted, "CANDIDATES", boosted.CANDIDATES[:1])
    monkeypatch.setattr(boosted, "STAGES", 100)
    monkeypatch.setattr(forest, "ROWS_IN_LEAF", (1, 6))
    monkeypatch.setattr(forest, "TREES_TO_CHOOSE", 10)
    return partial(Forest, n_trees=50) if request.param == "forest" else Boosted


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_trees_learn_what_no_line_separates(contestant: type, kind: str) -> None:
    inputs, targets, tasks = made(kind)
    train = np.arange(len(tasks)) % 3 > 0
    first, again = (
        contestant(kind, n_folds=3).fit(inputs[train], targets[train], tasks[train])
        for _ in range(2)
    )
    outputs = first.predict(inputs[~train], tasks[~train])
    np.testing.assert_array_equal(outputs, again.predict(inputs[~train], tasks[~train]))
    wanted = targets[~train]
    if kind == "regression":
        assert np.mean((outputs - wanted) ** 2) < 0.3 * wanted.var()
    elif kind == "binary":
        assert np.mean((outputs > 0) == wanted) > 0.85
    else:
        assert np.mean(outputs.argmax(axis=1) == wanted) > 0.8


def test_classes_and_tasks_that_are_missing_in_training(contestant: type) -> None:
    inputs, targets, tasks = made("multiclass")
    model = contestant("multiclass", n_classes=5, n_folds=2)
    model.fit(inputs[:120], targets[:120], tasks[:120])
    if isinstance(model, Forest):
        assert model.predict(inputs, tasks + 1).shape == (360, 5)
    assert np.isfinite(model.predict(inputs, tasks + 1)).all()


def test_means_keep_more_of_their_distance_the_more_rows_they_have() -> None:
    generator = np.random.default_rng(1)
    tasks = np.repeat(np.arange(40), np.r_[np.full(20, 2), np.full(20, 50)])
    true = generator.normal(size=40)
    targets = true[tasks] + generator.normal(size=len(tasks))
    rows = checked_rows(np.zeros((len(tasks), 1)), targets, tasks, None, kind="regression")
    means = shrunk_means(rows)[:-1, 0]
    plain = np.array([targets[tasks == task].mean() for task in range(40)])
    kept = (means - targets.mean()) / (plain - targets.mean())
    # Both variances are 1: a mean of n rows keeps about n / (n + 1).
    np.testing.assert_allclose(kept[:20], 2 / 3, atol=0.12)
    np.testing.assert_allclose(kept[20:], 50 / 51, atol=0.02)


def test_trees_from_a_pooled_ridge_learn_its_residuals() -> None:
    pytest.importorskip("lightgbm")
    inputs, targets, tasks = made("regression")
    targets = targets + 20 * inputs[:, 0]
    train = np.arange(len(tasks)) % 3 > 0
    errors = {}
    for start in ("constant", "pooled-ridge"):
        model = Boosted(start=start).fit(inputs[train], targets[train], tasks[train])
        outputs = model.predict(inputs[~train], tasks[~train])
        errors[start] = np.mean((outputs - targets[~train]) ** 2)
    assert errors["pooled-ridge"] < 0.5 * errors["constant"]


def test_without_lightgbm_many_tasks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted, "lightgbm", None)
    with pytest.raises(ImportError, match=r"softshare\[boosted\]"):
        Boosted().fit(np.zeros((300, 1)), np.zeros(300), np.arange(300))
