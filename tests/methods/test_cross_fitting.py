"""Networks that stand on a linear model and are cross-fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from softshare.methods import cross_fitting
from softshare.methods.cross_fitting import CrossFittedNetworks
from softshare.methods.named import method_named
from softshare.tasks.task_set import TaskSet
from tests.methods.made_schools import FEW_STEPS, parts, schools


def test_networks_that_add_noise_alone_are_left_out() -> None:
    """The linear model is the truth here: what stands on it is never worse than it."""
    train, validation, test = parts(schools(rows=30, own=0.0))
    base = method_named("pooled-ridge").learn(train, validation, FEW_STEPS)
    learned = method_named("tied").learn(train, validation, replace(FEW_STEPS, learning_rate=0.05))
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.weight < 0.6
    found, wanted = (np.concatenate(each.predict(test))[:, 0] for each in (learned, base))
    assert r2_score(test.targets, found) > r2_score(test.targets, wanted) - 0.02


def test_networks_find_what_a_line_cannot() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(400, 2))
    target = np.abs(inputs[:, 0]) + 0.1 * random.normal(size=400)
    tasks = TaskSet.from_task_column(inputs, target, np.arange(400) % 4)
    train, validation, test = parts(tasks)
    settings = replace(FEW_STEPS, steps=200, hidden=(16,), learning_rate=0.01)
    learned = method_named("pooled").learn(train, validation, settings)
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.weight > 0.8
    assert r2_score(test.targets, np.concatenate(learned.predict(test))[:, 0]) > 0.7


def test_what_networks_apart_say_of_rows_held_out_is_as_good_as_of_new_rows() -> None:
    """Each task's own best step on its few held-out rows would say it of these rows alone."""
    train, validation, test = parts(schools(rows=30, tasks=30))
    settings = replace(FEW_STEPS, steps=60, learning_rate=0.03, base="none")
    learned = method_named("independent").learn(train, validation, settings)
    assert learned.out_of_fold is not None
    held_out = np.mean((np.concatenate(learned.out_of_fold)[:, 0] - train.targets) ** 2)
    new = np.mean((np.concatenate(learned.predict(test))[:, 0] - test.targets) ** 2)
    # The mean of four networks on new rows, against one network on each row held out.
    assert held_out > new


def test_a_task_without_rows_in_a_fold_is_still_answered() -> None:
    tasks = schools(rows=12, tasks=3)
    train, _, test = parts(tasks)
    few = train.select(np.r_[0:10, 10:20, 20])  # one row of the third task
    nothing = few.select(np.empty(0, dtype=int))
    learned = method_named("tied").learn(few, nothing, FEW_STEPS)
    assert np.isfinite(np.concatenate(learned.predict(test))).all()


def test_networks_of_several_targets_stand_on_each_target_s_own_line() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(60, 20))
    columns = {"one": inputs[:, 0] - inputs[:, 1], "other": 3 * inputs[:, 2]}
    tasks = TaskSet.from_shared_inputs(inputs, columns)
    train, validation, test = parts(tasks)
    learned = method_named("tied").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.base is not None
    assert learned.base.name == "ridge"
    for number, outputs in enumerate(learned.predict(test)):
        assert r2_score(test.targets[test.entries(number)], outputs[:, 0]) > 0.98


def test_networks_of_several_kinds_of_targets_stand_alone() -> None:
    inputs = np.random.default_rng(0).normal(size=(40, 3))
    columns = {"number": inputs[:, 0], "sign": (inputs[:, 1] > 0).astype(float)}
    kinds = {"number": "regression", "sign": "binary"}
    tasks = TaskSet.from_shared_inputs(inputs, columns, kinds=kinds)
    train, validation, _ = parts(tasks)
    learned = method_named("tied").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.base is None


def test_networks_of_very_many_targets_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_fitting, "MOST_ENTRIES_APART", 63)
    inputs = np.random.default_rng(0).normal(size=(40, 3))
    columns = {"one": inputs[:, 0], "other": inputs[:, 1]}
    train, validation, _ = parts(TaskSet.from_shared_inputs(inputs, columns))
    assert len(train.rows) == 64
    learned = method_named("tied").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.base is None


@pytest.mark.parametrize("name", ["tied", "independent"])
def test_a_state_that_does_not_name_its_base_has_the_method_s(name: str) -> None:
    train, validation, test = parts(schools())
    method = method_named(name)
    learned = method.learn(train, validation, FEW_STEPS)
    state = learned.state()
    assert state.pop("base_name") == {"tied": "pooled-ridge", "independent": "ridge"}[name]
    nothing = train.select(np.empty(0, dtype=int))
    again = method.restore(state, nothing)
    for one, other in zip(learned.predict(test), again.predict(test), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_networks_of_use_are_kept_and_each_adds_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, validation, test = parts(schools(rows=30))
    settings = replace(FEW_STEPS, steps=60, learning_rate=0.03)
    monkeypatch.setattr(cross_fitting, "weight_of", lambda *_: 1.0)
    all_are = np.ones(settings.n_folds, dtype=bool)
    monkeypatch.setattr(cross_fitting, "useful_folds", lambda *_: all_are)
    everyone = method_named("tied").learn(train, validation, settings)
    useful = np.arange(settings.n_folds) == 1
    monkeypatch.setattr(cross_fitting, "useful_folds", lambda *_: useful)
    learned = method_named("tied").learn(train, validation, settings)
    assert isinstance(learned, CrossFittedNetworks)
    assert isinstance(everyone, CrossFittedNetworks)
    assert len(learned.networks) == 1
    assert learned.weight == 1 / settings.n_folds
    assert learned.base is not None
    base = learned.base.outputs(test)
    alone = replace(everyone, networks=everyone.networks[1:2], weight=1 / settings.n_folds)
    np.testing.assert_array_equal(
        np.concatenate(learned.predict(test)), np.concatenate(alone.predict(test))
    )
    assert np.abs(np.concatenate(learned.predict(test)) - base).max() > 0
    # What is told of rows held out was not chosen by these rows.
    assert learned.out_of_fold is not None
    assert everyone.out_of_fold is not None
    for said, before in zip(learned.out_of_fold, everyone.out_of_fold, strict=True):
        np.testing.assert_array_equal(said, before)


def test_where_no_network_is_of_use_the_base_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation, test = parts(schools(rows=12, tasks=3))
    monkeypatch.setattr(
        cross_fitting, "useful_folds", lambda *_: np.zeros(FEW_STEPS.n_folds, dtype=bool)
    )
    learned = method_named("tied").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.weight == 0
    assert len(learned.networks) == 1
    assert learned.base is not None
    np.testing.assert_array_equal(np.concatenate(learned.predict(test)), learned.base.outputs(test))
