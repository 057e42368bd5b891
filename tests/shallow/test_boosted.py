"""Boosted trees: what they must learn, that they repeat, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow import boosted, boosted_trees
from softshare.shallow.boosted import Boosted
from tests.shallow.exclusive_or import check_learned, exclusive_or


@pytest.fixture(params=["lightgbm", "scikit-learn"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either library's trees, of one size and not too many."""
    if request.param == "scikit-learn":
        monkeypatch.setattr(boosted_trees, "lightgbm", None)
    else:
        pytest.importorskip("lightgbm")
    monkeypatch.setattr(boosted, "CANDIDATES", boosted.CANDIDATES[:1])
    monkeypatch.setattr(boosted_trees, "STAGES", 100)
    return str(request.param)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_trees_learn_what_no_line_separates_and_repeat(library: str, kind: str) -> None:
    inputs, targets, tasks = exclusive_or(kind)
    train = np.arange(len(tasks)) % 3 > 0
    outputs = []
    for _ in range(2):
        model = Boosted(kind, n_folds=3).fit(inputs[train], targets[train], tasks[train])
        outputs.append(model.predict(inputs[~train], tasks[~train]))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    check_learned(outputs[0], targets[~train], kind)


def test_classes_and_tasks_that_are_missing_in_training(library: str) -> None:
    inputs, targets, tasks = exclusive_or("multiclass")
    model = Boosted("multiclass", n_classes=5, n_folds=2)
    model.fit(inputs[:120], targets[:120], tasks[:120])
    outputs = model.predict(inputs, tasks + 1)
    assert np.isfinite(outputs).all()


def test_trees_from_a_pooled_ridge_learn_its_residuals() -> None:
    pytest.importorskip("lightgbm")
    inputs, targets, tasks = exclusive_or("regression")
    targets = targets + 20 * inputs[:, 0]
    train = np.arange(len(tasks)) % 3 > 0
    errors = {}
    for start in ("constant", "pooled-ridge"):
        model = Boosted(start=start).fit(inputs[train], targets[train], tasks[train])
        outputs = model.predict(inputs[~train], tasks[~train])
        errors[start] = np.mean((outputs - targets[~train]) ** 2)
    assert errors["pooled-ridge"] < 0.5 * errors["constant"]


def test_without_lightgbm_many_tasks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted_trees, "lightgbm", None)
    with pytest.raises(ImportError, match=r"softshare\[boosted\]"):
        Boosted().fit(np.zeros((300, 1)), np.zeros(300), np.arange(300))
