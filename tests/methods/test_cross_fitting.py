"""Networks that stand on a linear model and are cross-fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import r2_score

from softshare.methods import cross_fitting
from softshare.methods.cross_fitting import CrossFittedNetworks, _useful, _weight_of
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


def test_a_network_that_says_no_more_of_its_fold_than_the_base_is_of_no_use() -> None:
    """Of two rows a fold: one loses what the other gains; both gain; a row that counts twice."""
    zeros = np.zeros(6)
    tasks = TaskSet.from_arrays({"a": (np.zeros((6, 1)), zeros)}, kinds="regression")
    base = np.ones((6, 1))
    whole = np.sqrt([[0.0], [2.0], [0.5], [0.5], [0.2], [1.7]])
    fold = np.array([0, 0, 1, 1, 2, 2])
    assert _useful(tasks, base, whole, fold).tolist() == [False, True, True]
    counted = replace(tasks, weights=np.array([1.0, 1, 1, 1, 1, 2]))
    assert _useful(counted, base, whole, fold).tolist() == [False, True, False]


def test_only_networks_of_use_are_kept_and_each_adds_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, validation, test = parts(schools(rows=30))
    settings = replace(FEW_STEPS, steps=60, learning_rate=0.03)
    monkeypatch.setattr(cross_fitting, "_weight_of", lambda *_: 1.0)
    monkeypatch.setattr(cross_fitting, "_useful", lambda *_: np.ones(settings.n_folds, dtype=bool))
    everyone = method_named("tied").learn(train, validation, settings)
    useful = np.arange(settings.n_folds) == 1
    monkeypatch.setattr(cross_fitting, "_useful", lambda *_: useful)
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
        cross_fitting, "_useful", lambda *_: np.zeros(FEW_STEPS.n_folds, dtype=bool)
    )
    learned = method_named("tied").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, CrossFittedNetworks)
    assert learned.weight == 0
    assert len(learned.networks) == 1
    assert learned.base is not None
    np.testing.assert_array_equal(np.concatenate(learned.predict(test)), learned.base.outputs(test))


@pytest.mark.parametrize("best", [-0.4, 0.0, 0.003, 0.37, 0.997, 1.0, 1.8])
def test_of_what_networks_add_as_much_is_taken_as_does_best(best: float) -> None:
    """Squared errors are least at the projection of what is missing on what is added."""
    random = np.random.default_rng(0)
    base, added = random.normal(size=(2, 5000, 1))
    tasks = TaskSet.from_arrays({"a": (np.zeros((5000, 1)), np.zeros(5000))}, kinds="regression")
    noise = random.normal(size=(5000, 1))
    noise -= added * (added * noise).sum() / (added * added).sum()
    tasks.targets[:] = (base + best * added + noise)[:, 0]
    found = _weight_of(tasks, base, base + added)
    assert found == pytest.approx(np.clip(best, 0, 1), abs=3e-3)


def test_what_few_rows_say_of_the_weight_is_trusted_by_its_standard_error() -> None:
    """Four rows, of which one gains 7, one loses 1: a mean gain of 1.5 where all is added, and a
    standard error of √((5.5² + 2.5² + 1.5² + 1.5²) / 16).
    """
    tasks = TaskSet.from_arrays({"a": (np.zeros((4, 1)), np.zeros(4))}, kinds="regression")
    base = np.array([[4.0], [1.0], [1.0], [1.0]])
    whole = np.array([[3.0], [np.sqrt(2)], [1.0], [1.0]])
    error = np.sqrt((5.5**2 + 2.5**2 + 2 * 1.5**2) / 16)
    expected = 2 * norm.cdf(1.5 / error) - 1
    assert _weight_of(tasks, base, whole) == pytest.approx(expected, rel=1e-5)


def test_targets_of_one_row_scatter_together() -> None:
    """Twice the same column is no more evidence than once."""
    rows = np.zeros((4, 1))
    base = np.array([[4.0], [1.0], [1.0], [1.0]])
    whole = np.array([[3.0], [np.sqrt(2)], [1.0], [1.0]])
    once = TaskSet.from_arrays({"a": (rows, np.zeros(4))}, kinds="regression")
    columns = {"a": np.zeros(4), "b": np.zeros(4)}
    twice = TaskSet.from_shared_inputs(rows, columns, kinds="regression")
    of_twice = _weight_of(twice, np.vstack([base, base]), np.vstack([whole, whole]))
    assert of_twice == pytest.approx(_weight_of(once, base, whole))
