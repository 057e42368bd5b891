"""A batch holds the rows, the targets and the gaps that a plan asks for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.tasks.batch import Batch, Plan, SameRows, augmented, own_rows
from softshare.tasks.task_set import TaskSet


def numbered(n_rows, first=0):
    """Rows whose numbers are their values, ``(n, 2)``."""
    return np.arange(first, first + 2 * n_rows, dtype=np.float32).reshape(n_rows, 2)


def test_tasks_of_their_own_rows_get_the_asked_ones_in_that_order():
    inputs = {"a": numbered(5), "b": numbered(4, 100)}
    targets = {"a": np.arange(5.0), "b": 10 + np.arange(4.0)}
    tasks = TaskSet.from_arrays({name: (inputs[name], targets[name]) for name in "ab"})
    examples = np.array([[3, 0], [1, 2]])
    found = {}
    for batch in own_rows(tasks, Plan(0, np.array([1, 0]), examples)):
        for place, number in enumerate(batch.tasks.tolist()):
            found["ab"[number]] = (batch.inputs[place], batch.targets[place])
    for name, rows in zip("ba", examples, strict=True):
        own_inputs, own_targets = found[name]
        np.testing.assert_array_equal(own_inputs, inputs[name][rows])
        np.testing.assert_array_equal(own_targets, targets[name][rows])


def test_tasks_of_one_input_get_one_copy_of_it_and_say_which_labels_lack():
    inputs = numbered(6)
    labels = np.array([0.5, np.nan, 2.5, 3.5, 4.5, 5.5])
    tasks = TaskSet.from_shared_inputs(inputs, {"a": labels, "b": -np.arange(6) - 0.5})
    batch = SameRows(tasks).read(Plan(0, np.array([0, 1]), np.array([[1, 4, 2]])))
    assert batch.one_input
    np.testing.assert_array_equal(batch.inputs, inputs[[1, 4, 2]])
    assert batch.present.tolist() == [[False, True, True], [True, True, True]]
    present = batch.targets[batch.present]
    np.testing.assert_array_equal(present, [4.5, 2.5, -1.5, -4.5, -2.5])


def test_without_a_gap_all_are_present():
    tasks = TaskSet.from_shared_inputs(numbered(4), {"a": np.arange(4.0) + 0.5})
    assert SameRows(tasks).read(Plan(0, np.array([0]), np.array([[0, 3]]))).present is None


@pytest.mark.parametrize("one_input", [True, False])
def test_inputs_are_changed_as_one_stack_of_rows(one_input):
    inputs = torch.ones(3, 2) if one_input else torch.ones(2, 3, 2)
    batch = Batch(torch.tensor([0, 1]), inputs, torch.zeros(2, 3), one_input=one_input)
    seen = []

    def doubled(rows, generator):
        seen.append(tuple(rows.shape))
        return torch.cat([rows, rows], dim=1)

    changed = augmented(batch, doubled, torch.Generator())
    assert seen == [(3, 2) if one_input else (6, 2)]
    assert tuple(changed.inputs.shape) == (*inputs.shape[:-1], 4)


def test_on_a_device_whole_numbers_stay_and_targets_keep_the_finer_kind():
    batch = Batch(torch.tensor([0]), torch.ones(1, 2, dtype=torch.long), torch.ones(1, 2))
    moved = batch.to(torch.device("cpu"), torch.float16)
    assert moved.inputs.dtype == torch.long
    assert moved.targets.dtype == torch.float32
    finer = batch.to(torch.device("cpu"), torch.float64)
    assert finer.targets.dtype == torch.float64
