"""Entries as plain arrays, where they are alike."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.methods.plain_entries import (
    mean_one_weights,
    not_alike,
    not_apart,
    not_one_model,
    on_inputs,
    plain_entries,
)
from softshare.tasks.task_set import TaskSet


def test_what_is_not_alike_is_refused_with_a_reason() -> None:
    images = TaskSet.from_arrays({"a": (np.zeros((4, 1, 8, 8)), np.arange(4) % 2)})
    assert not_alike(images) == "inputs are no vectors"
    widths = {name: (np.zeros((4, size)), np.arange(4) % 2) for name, size in (("a", 2), ("b", 3))}
    assert not_alike(TaskSet.from_arrays(widths)) == "the tasks' inputs differ in shape"
    kinds = {"a": (np.zeros((4, 2)), np.arange(4) % 2), "b": (np.zeros((4, 2)), np.arange(4) + 0.5)}
    assert not_alike(TaskSet.from_arrays(kinds)) == "the tasks' targets differ in kind"


def test_small_images_are_vectors_to_whom_takes_them() -> None:
    images = TaskSet.from_arrays({"a": (np.zeros((4, 1, 8, 8)), np.arange(4) % 2)})
    assert not_one_model(images) == "inputs are no vectors"
    assert not_one_model(images, small_images=True) is None
    assert not_apart(images) is None
    large = TaskSet.from_arrays({"a": (np.zeros((4, 1, 40, 40)), np.arange(4) % 2)})
    assert not_one_model(large, small_images=True) is not None
    assert not_apart(large) is not None


def test_one_model_cannot_tell_tasks_on_the_same_rows_apart() -> None:
    targets = {"a": np.arange(4) % 2, "b": np.arange(4) // 2}
    same_rows = TaskSet.from_shared_inputs(np.zeros((4, 2)), targets)
    assert (
        not_one_model(same_rows) == "all tasks see the same rows, which one model cannot tell apart"
    )
    assert not_alike(same_rows) is None


def test_entries_are_the_tasks_rows_in_their_order() -> None:
    random = np.random.default_rng(0)
    data = {
        name: (random.normal(size=(n, 3)), random.normal(size=n))
        for name, n in (("a", 5), ("b", 7))
    }
    tasks = TaskSet.from_arrays(data, kinds="regression").select(np.array([0, 2, 4, 5, 8, 11]))
    entries = plain_entries(tasks)
    for number in range(2):
        inputs, _ = tasks.examples(number)
        np.testing.assert_array_equal(entries.inputs[tasks.entries(number)], inputs.numpy())
    assert entries.tasks.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(entries.targets, tasks.targets)
    assert entries.groups is None
    assert entries.weights is None
    moved = on_inputs(tasks, 2 * entries.inputs)
    np.testing.assert_array_equal(plain_entries(moved).inputs, 2 * entries.inputs)
    assert moved.tasks == tasks.tasks


def test_rows_that_serve_several_tasks_are_not_divided() -> None:
    targets = {"a": np.arange(4) % 2, "b": np.arange(4) // 2}
    entries = plain_entries(TaskSet.from_shared_inputs(np.zeros((4, 2)), targets))
    assert entries.groups is not None
    groups = entries.groups.reshape(2, 4)
    assert (groups[0] == groups[1]).all()
    assert len(set(groups[0].tolist())) == 4


def test_weights_have_the_mean_one() -> None:
    data = {"a": (np.zeros((4, 2)), np.arange(4.0))}
    weights = {"a": np.array([1.0, 2.0, 3.0, 6.0])}
    tasks = TaskSet.from_arrays(data, kinds="regression", weights=weights)
    assert mean_one_weights(tasks).tolist() == pytest.approx([1 / 3, 2 / 3, 1, 2])
    nothing = tasks.select(np.empty(0, dtype=int))
    assert mean_one_weights(nothing) is None
