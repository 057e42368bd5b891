"""Trees of each task by itself."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from softshare.shallow.forest_apart import ForestApart


def steps(n_rows: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two tasks with steps of their own."""
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(2), n_rows)
    inputs = random.normal(size=(len(tasks), 3)).astype(np.float32).astype(float)
    targets = np.where(inputs[np.arange(len(tasks)), tasks] > 0, 4.0, 1.0)
    return inputs, targets + 0.1 * random.normal(size=len(tasks)), tasks


def test_trees_are_scikit_learn_s_on_the_task_s_rows() -> None:
    inputs, targets, tasks = steps()
    model = ForestApart(n_trees=20, n_folds=2).fit(inputs, targets, tasks)
    mine = tasks == 1
    plain = ExtraTreesRegressor(20, min_samples_leaf=model.rows_in_leaf_, random_state=0)
    wanted = plain.fit(inputs[mine], targets[mine]).predict(inputs)
    np.testing.assert_allclose(model.predict(inputs, np.ones(len(tasks))), wanted, rtol=1e-6)


def test_rows_held_out_are_told_from_the_others() -> None:
    inputs, targets, tasks = steps()
    model = ForestApart(n_trees=20, n_folds=2).fit(inputs, targets, tasks)
    error = (model.held_out_ - targets).std()
    assert 0.05 < error < 0.5 * targets.std()


def test_a_task_of_few_rows_has_its_mean_drawn_a_little_to_everyone_s() -> None:
    inputs, targets, tasks = steps()
    inputs, tasks = np.vstack([inputs, np.zeros((3, 3))]), np.append(tasks, [2, 2, 2])
    targets = np.append(targets, [10.0, 11.0, 12.0])
    model = ForestApart(n_trees=5, n_folds=2).fit(inputs, targets, tasks)
    wanted = (33 + targets.mean()) / 4
    np.testing.assert_allclose(model.predict(inputs[:2], [2, 2]), wanted)
    np.testing.assert_allclose(model.predict(inputs[:2], [9, 9]), targets.mean())


def test_chances_of_classes_that_a_task_has_not_seen_are_small_and_not_zero() -> None:
    inputs, values, tasks = steps()
    targets = np.where(tasks == 0, 0, np.where(values > 2, 2, 1)).astype(float)
    model = ForestApart("multiclass", n_trees=20, n_folds=2).fit(inputs, targets, tasks)
    outputs = model.predict(inputs, tasks)
    assert outputs.shape == (120, 3)
    assert np.isfinite(outputs).all()
    assert (outputs[tasks == 0].argmax(axis=1) == 0).all()
    assert np.mean(outputs[tasks == 1].argmax(axis=1) == targets[tasks == 1]) > 0.9
