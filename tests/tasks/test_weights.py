"""How much each example counts: what is refused, what is left out, and what a mean loss makes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.tasks.task_set import TaskSet
from softshare.tasks.training_weights import class_weighted, task_weighted
from softshare.tasks.weights import checked_weights


def frame():
    """Twelve rows of two tasks with weights from 0 to 3."""
    rows = np.arange(12)
    return pd.DataFrame(
        {
            "x": np.sin(rows),
            "place": np.where(rows < 7, "north", "south"),
            "y": [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1],
            "w": [1.0, 2, 0, 3, 1, 0.5, 2, 1, 0, 2, 2, 3],
        }
    )


def read(table, **roles):
    return read_table(table, task="place", target="y", **roles)


def test_a_column_of_weights_is_no_input_and_goes_with_its_entries():
    tasks = read(frame(), weight="w")
    assert [name for name, _ in tasks.sources[0].columns] == ["x"]
    wanted = frame()["w"].to_numpy()
    np.testing.assert_array_equal(tasks.weights, wanted[wanted > 0])
    kept = tasks.keep_tasks([1])
    np.testing.assert_array_equal(kept.weights, [1, 2, 2, 3])
    np.testing.assert_array_equal(kept.select(np.array([0, 3])).weights, [1, 3])
    assert "the weight" in str(tasks.look())


def test_rows_of_weight_0_are_left_out():
    table = frame()
    tasks = read(table, weight="w")
    without = read(table[table["w"] > 0].reset_index(drop=True), weight="w")
    np.testing.assert_array_equal(tasks.targets, without.targets)
    np.testing.assert_array_equal(tasks.weights, without.weights)
    np.testing.assert_array_equal(tasks.offsets, without.offsets)
    assert "2 example(s) of weight 0 are left out" in tasks.notes


def test_weights_change_the_fingerprint():
    table = frame()
    tasks = read(table, weight="w")
    other = read(table.assign(w=table["w"] + (table["w"] == 3)), weight="w")
    assert tasks.fingerprint() != other.fingerprint()
    plain = tasks.with_weights(None)
    assert plain.fingerprint() != tasks.fingerprint()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            [-1.0] + [1.0] * 11,
            "weight: column 'w' is -1 in row 1; a weight must be a",
        ),
        ([1.0, np.nan] + [1.0] * 10, "weight: column 'w' is missing in row 2; .*leave the row out"),
        (
            [np.inf, np.inf] + [1.0] * 10,
            r"weight: column 'w' is inf in row 1 \(and in 1",
        ),
        (["1", "much"] + ["2"] * 10, "weight: column 'w' holds 'much'; a weight must be a number"),
        ([0.0] * 7 + [1.0] * 5, "weights: task 'north' has rows of weight 0 alone; give some"),
    ],
)
def test_what_cannot_be_a_weight_is_refused_with_the_remedy(values, told):
    with pytest.raises(ValueError, match=told):
        read(frame().assign(w=values), weight="w")


def test_weights_may_be_written_as_numbers_are():
    texts = [f"{value:.1f}".replace(".", ",") for value in frame()["w"]]
    tasks = read(frame().assign(w=texts), weight="w")
    np.testing.assert_array_equal(tasks.weights, read(frame(), weight="w").weights)


def test_every_constructor_takes_weights():
    random = np.random.default_rng(0)
    inputs, weights = random.normal(size=(6, 2)), np.array([1.0, 2, 3, 4, 5, 0])
    labels = np.array([0.0, 1, np.nan, 1, 0, 1])
    shared = TaskSet.from_shared_inputs(inputs, {"a": labels, "b": 1 - labels}, weights=weights)
    np.testing.assert_array_equal(shared.weights, [1, 2, 4, 5] * 2)
    apart = TaskSet.from_arrays(
        {"a": (inputs, labels), "b": (inputs[:4], labels[:4])},
        weights={"a": weights, "b": weights[:4] + 1},
    )
    np.testing.assert_array_equal(apart.weights, [1, 2, 4, 5, 2, 3, 5])
    names = ["s", "n", "s", "n", "s", "n"]
    column = TaskSet.from_task_column(inputs, labels, names, weights=weights)
    np.testing.assert_array_equal(column.weights, [2, 4, 1, 5])
    with pytest.raises(ValueError, match=r"weights: none for task 'b'; give one for every row"):
        TaskSet.from_arrays({"a": (inputs, labels), "b": (inputs, labels)}, weights={"a": weights})
    with pytest.raises(ValueError, match=r"weights: must be 6, one a row, got shape \(5,\)"):
        checked_weights(weights[:5], 6)


def test_means_of_losses_times_loss_weights_are_weighted_means():
    tasks = read(frame(), weight="w")
    losses = np.random.default_rng(0).normal(size=len(tasks.rows))
    for number in range(2):
        own = tasks.entries(number)
        found = (losses * tasks.loss_weights)[own].mean()
        assert found == pytest.approx(np.average(losses[own], weights=tasks.weights[own]))
    assert read(frame()).loss_weights is None


@pytest.mark.parametrize("weight", [None, "w"])
def test_balanced_classes_weigh_the_same_in_each_task(weight):
    tasks = read(frame(), **({} if weight is None else {"weight": weight}))
    balanced = class_weighted(tasks, "balanced")
    assert class_weighted(tasks, None) is tasks
    before = np.ones(len(tasks.rows)) if weight is None else tasks.weights
    for number in range(2):
        own = tasks.entries(number)
        positive = tasks.targets[own] == 1
        weights = balanced.weights[own]
        assert weights[positive].sum() == pytest.approx(weights[~positive].sum())
        assert weights.sum() == pytest.approx(before[own].sum())
        ratios = weights / before[own]  # within a class rows keep their weights
        assert np.ptp(ratios[positive]) == pytest.approx(0, abs=1e-12)


def test_only_classes_that_a_task_has_are_balanced():
    inputs = np.zeros((7, 1))
    tasks = TaskSet.from_arrays(
        {
            "three": (inputs, np.array(["a", "b", "b", "c", "c", "c", "c"])),
            "numbers": (inputs, np.linspace(0, 1, 7)),
        }
    )
    balanced = class_weighted(tasks, "balanced")
    np.testing.assert_allclose(balanced.weights[:7], np.array([4, 2, 2, 1, 1, 1, 1]) * 7 / 12)
    np.testing.assert_array_equal(balanced.weights[7:], np.ones(7))
    some = class_weighted(tasks.select(np.arange(3)), "balanced")  # no row of c, no number
    np.testing.assert_allclose(some.weights, [1.5, 0.75, 0.75])


@pytest.mark.parametrize("weight", [None, "w"])
def test_equal_tasks_weigh_the_same(weight):
    tasks = read(frame(), **({} if weight is None else {"weight": weight}))
    before = np.ones(len(tasks.rows)) if weight is None else tasks.weights
    equal = task_weighted(tasks, "equal")
    north, south = equal.weights[tasks.entries(0)], equal.weights[tasks.entries(1)]
    assert north.sum() == pytest.approx(south.sum())
    assert equal.weights.sum() == pytest.approx(before.sum())
    assert np.ptp(north / before[tasks.entries(0)]) == pytest.approx(0, abs=1e-12)
    assert task_weighted(tasks, "examples") is tasks
    # a task's mean loss does not see what all its rows have in common
    plain = tasks.with_weights(before)
    np.testing.assert_allclose(equal.loss_weights, plain.loss_weights)
