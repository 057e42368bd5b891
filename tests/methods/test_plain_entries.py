"""Entries as plain arrays, where they are alike."""

from __future__ import annotations

import numpy as np

from softshare.methods.plain_entries import not_alike
from softshare.tasks.task_set import TaskSet


def test_what_is_not_alike_is_refused_with_a_reason() -> None:
    images = TaskSet.from_arrays({"a": (np.zeros((4, 1, 8, 8)), np.arange(4) % 2)})
    assert not_alike(images) == "inputs are no vectors"
    widths = {name: (np.zeros((4, size)), np.arange(4) % 2) for name, size in (("a", 2), ("b", 3))}
    assert not_alike(TaskSet.from_arrays(widths)) == "the tasks' inputs differ in shape"
    kinds = {"a": (np.zeros((4, 2)), np.arange(4) % 2), "b": (np.zeros((4, 2)), np.arange(4) + 0.5)}
    assert not_alike(TaskSet.from_arrays(kinds)) == "the tasks' targets differ in kind"
