"""Forests: what they must learn, that they repeat, and how task means shrink."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow import forest
from softshare.shallow.forest import Forest, shrunk_means
from softshare.shallow.rows import checked_rows
from tests.shallow.exclusive_or import check_learned, exclusive_or


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forest, "ROWS_IN_LEAF", (1, 6))
    monkeypatch.setattr(forest, "TREES_TO_CHOOSE", 10)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_trees_learn_what_no_line_separates_and_repeat(kind: str) -> None:
    inputs, targets, tasks = exclusive_or(kind)
    train = np.arange(len(tasks)) % 3 > 0
    outputs = []
    for _ in range(2):
        model = Forest(kind, n_trees=50, n_folds=3).fit(inputs[train], targets[train], tasks[train])
        outputs.append(model.predict(inputs[~train], tasks[~train]))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    check_learned(outputs[0], targets[~train], kind)


def test_classes_and_tasks_that_are_missing_in_training() -> None:
    inputs, targets, tasks = exclusive_or("multiclass")
    model = Forest("multiclass", n_trees=50, n_classes=5, n_folds=2)
    model.fit(inputs[:120], targets[:120], tasks[:120])
    outputs = model.predict(inputs, tasks + 1)
    assert np.isfinite(outputs).all()
    assert outputs.shape == (360, 5)


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
