"""What a person would use instead, and what all say together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from softshare.methods.cross_fitting import CrossFittedNetworks
from softshare.methods.estimators import LearnedEstimator, held_out_outputs
from softshare.methods.named import AUTO, CONTESTANTS, method_named
from softshare.methods.plain_entries import not_alike, plain_entries
from softshare.methods.settings import RunSettings
from softshare.methods.stacked import StackedMethods
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

FEW_STEPS = RunSettings("made", "tied", 1.0, 0, steps=20, hidden=(4,), n_folds=2)


def schools(*, rows: int = 12, tasks: int = 6, own: float = 0.5, seed: int = 0) -> TaskSet:
    """One line for all tasks, and each task's own offset."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows * tasks, 3))
    task = np.repeat(np.arange(tasks), rows)
    offsets = own * random.normal(size=tasks)
    target = inputs @ [1.0, -0.5, 0.2] + offsets[task] + 0.5 * random.normal(size=len(task))
    return TaskSet.from_task_column(inputs, target, task)


def parts(tasks: TaskSet) -> tuple[TaskSet, TaskSet, TaskSet]:
    return prepare(tasks, split(tasks, seed=0, fractions=(0.8, 0.0, 0.2)))


@pytest.mark.parametrize("method", CONTESTANTS, ids=lambda method: method.name)
def test_a_contestant_learns_what_it_can_learn(method) -> None:
    train, validation, test = parts(schools(rows=40))
    learned = method.learn(train, validation, replace(FEW_STEPS, method=method.name))
    assert [rows.shape for rows in learned.predict(test)] == [(8, 1)] * 6
    assert r2_score(test.targets, np.concatenate(learned.predict(test))[:, 0]) > 0.5


def test_a_contestant_is_its_estimator_on_the_tasks_rows() -> None:
    train, validation, test = parts(schools())
    learned = method_named("pooled-ridge").learn(train, validation, FEW_STEPS)
    rows, wanted = plain_entries(train), plain_entries(test)
    plain = PooledRidge(random_state=0).fit(rows.inputs, rows.targets, rows.tasks)
    outputs = np.concatenate(learned.predict(test))[:, 0]
    np.testing.assert_allclose(outputs, plain.predict(wanted.inputs, wanted.tasks))


def test_outputs_out_of_fold_do_not_depend_on_their_own_targets() -> None:
    train, _, _ = parts(schools())
    changed = train.targets.copy()
    changed[0] += 100.0
    before = held_out_outputs("pooled-ridge", train, n_folds=4, seed=0)
    after = held_out_outputs("pooled-ridge", replace(train, targets=changed), n_folds=4, seed=0)
    assert before[0] == after[0]
    assert (before != after).sum() > len(train.rows) / 2


def test_what_is_not_alike_is_refused_with_a_reason() -> None:
    images = TaskSet.from_arrays({"a": (np.zeros((4, 1, 8, 8)), np.arange(4) % 2)})
    assert not_alike(images) == "inputs are no vectors"
    widths = {name: (np.zeros((4, size)), np.arange(4) % 2) for name, size in (("a", 2), ("b", 3))}
    assert not_alike(TaskSet.from_arrays(widths)) == "the tasks' inputs differ in shape"
    kinds = {"a": (np.zeros((4, 2)), np.arange(4) % 2), "b": (np.zeros((4, 2)), np.arange(4) + 0.5)}
    assert not_alike(TaskSet.from_arrays(kinds)) == "the tasks' targets differ in kind"


def test_one_model_needs_rows_of_each_tasks_own() -> None:
    targets = {name: np.arange(8) % 2 for name in "ab"}
    tasks = TaskSet.from_shared_inputs(np.zeros((8, 2)), targets)
    assert [method.name for method in CONTESTANTS if method.unsuitable(tasks) is None] == ["ridge"]


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


def test_a_task_without_rows_in_a_fold_is_still_answered() -> None:
    tasks = schools(rows=12, tasks=3)
    train, _, test = parts(tasks)
    few = train.select(np.r_[0:10, 10:20, 20])  # one row of the third task
    nothing = few.select(np.empty(0, dtype=int))
    learned = method_named("tied").learn(few, nothing, FEW_STEPS)
    assert np.isfinite(np.concatenate(learned.predict(test))).all()


def test_auto_weighs_its_portfolio_and_says_how() -> None:
    train, validation, test = parts(schools(rows=20))
    settings = replace(FEW_STEPS, method="auto")
    learned = AUTO.learn(train, validation, settings)
    assert isinstance(learned, StackedMethods)
    assert sum(learned.decided["weights"].values()) == pytest.approx(1, abs=0.01)
    assert set(learned.decided["weights"]) <= {method.name for method in AUTO.presets["default"]}
    by_hand = np.zeros(len(test.rows))
    for number, member in enumerate(learned.members.values()):
        weights = learned.weights.weights[:, number]
        by_hand += weights[test.task_of] * np.concatenate(member.predict(test))[:, 0]
    np.testing.assert_allclose(np.concatenate(learned.predict(test))[:, 0], by_hand)


def test_a_preset_that_there_is_not_is_refused() -> None:
    train, validation, _ = parts(schools())
    settings = replace(FEW_STEPS, method="auto", method_options={"preset": "fast"})
    with pytest.raises(ValueError, match=r"auto.preset must be one of quick, .* got 'fast'"):
        AUTO.learn(train, validation, settings)


def test_auto_leaves_methods_out_that_do_not_suit_the_tasks() -> None:
    images = TaskSet.from_arrays({"a": (np.zeros((4, 1, 8, 8)), np.arange(4) % 2)})
    assert AUTO.unsuitable(images) == "inputs are no vectors"


def test_an_estimator_without_coefficients_counts_none() -> None:
    train, validation, _ = parts(schools())
    learned = method_named("forest").learn(train, validation, FEW_STEPS)
    assert isinstance(learned, LearnedEstimator)
    assert learned.n_parameters is None
