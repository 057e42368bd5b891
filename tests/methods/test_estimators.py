"""Estimators on the entries of a task set."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.methods.estimators import LearnedEstimator, fitted
from softshare.methods.named import method_named
from softshare.methods.plain_entries import plain_entries
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.tasks.task_set import TaskSet
from tests.methods.few_trees import grow_few_trees
from tests.methods.made_schools import FEW_STEPS, parts, schools


def test_a_contestant_is_its_estimator_on_the_tasks_rows() -> None:
    train, validation, test = parts(schools())
    learned = method_named("pooled-ridge").learn(train, validation, FEW_STEPS)
    rows, wanted = plain_entries(train), plain_entries(test)
    plain = PooledRidge(random_state=0).fit(rows.inputs, rows.targets, rows.tasks)
    outputs = np.concatenate(learned.predict(test))[:, 0]
    np.testing.assert_allclose(outputs, plain.predict(wanted.inputs, wanted.tasks))


def test_an_estimator_without_coefficients_counts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    grow_few_trees(monkeypatch)
    train, validation, _ = parts(schools())
    learned = method_named("forest").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, LearnedEstimator)
    assert learned.n_parameters is None


@pytest.mark.parametrize("name", ["ridge", "pooled-ridge", "tied"])
def test_rows_belong_to_tasks_by_name_not_by_place(name: str) -> None:
    train, validation, test = parts(schools())
    learned = method_named(name).learn(train, validation, FEW_STEPS)
    whole = learned.predict(test)
    some = learned.predict(test.keep_tasks([4, 1]))
    np.testing.assert_allclose(some[0], whole[4], rtol=1e-5)
    np.testing.assert_allclose(some[1], whole[1], rtol=1e-5)


def test_a_task_that_was_not_learned_is_refused_by_name() -> None:
    train, validation, test = parts(schools())
    learned = method_named("ridge").learn(train.keep_tasks([0, 1]), validation, FEW_STEPS)
    with pytest.raises(KeyError, match="no task '5'; the tasks are 0, 1"):
        learned.predict(test.keep_tasks([5]))


@pytest.mark.parametrize(
    ("kind", "n_classes"), [("regression", None), ("binary", None), ("multiclass", 3)]
)
def test_an_estimator_knows_the_kind_and_the_classes(kind: str, n_classes: int | None) -> None:
    random = np.random.default_rng(0)
    targets = random.normal(size=30) if kind == "regression" else np.arange(30) % (n_classes or 2)
    inputs = random.normal(size=(30, 2))
    tasks = TaskSet.from_arrays({"a": (inputs, targets), "b": (inputs, targets)}, kinds=kind)
    estimator = fitted("pooled-ridge", tasks, seed=3).estimator
    assert estimator.kind == kind
    assert estimator.n_classes == n_classes
    assert estimator.random_state == 3


def test_numbers_of_a_mixed_model_are_its_effects() -> None:
    train, validation, _ = parts(schools())
    learned = method_named("mixed-model").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, LearnedEstimator)
    model = learned.fitted.estimator
    assert learned.n_parameters == model.fixed_effects_.size + model.task_effects_.size
    ridge = method_named("pooled-ridge").learn(train, validation, FEW_STEPS)
    assert isinstance(ridge, LearnedEstimator)
    model = ridge.fitted.estimator
    n_effects = np.size(model.coef_) + np.size(model.intercept_) + np.size(model.offsets_)
    assert ridge.n_parameters == n_effects
