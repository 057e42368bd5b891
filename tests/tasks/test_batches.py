"""Batches: every example once an epoch, missing labels masked, order set by seed and name alone."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from softshare.tasks.batches import Batches
from softshare.tasks.task_set import TaskSet


def unequal(order: list[str]) -> TaskSet:
    sizes = {"large": 12, "small": 3}
    marks = {"large": 0.0, "small": 100.0}
    return TaskSet.from_arrays(
        {name: (np.arange(sizes[name], dtype=np.float32)[:, None] + marks[name], np.arange(sizes[name]) / 7) for name in order},
        kinds="regression",
    )


def test_an_epoch_shows_the_largest_task_once_and_cycles_the_small_one() -> None:
    batches = Batches(unequal(["large", "small"]), batch_size=4)
    assert batches.steps_per_epoch == 3
    seen = torch.cat([step[0].inputs for step in islice(batches, 3)], dim=1).squeeze(-1)
    assert sorted(seen[0].tolist()) == list(range(12))
    assert sorted(seen[1].tolist()) == sorted([100.0, 101.0, 102.0] * 4)


def test_targets_belong_to_their_inputs() -> None:
    batches = Batches(unequal(["large", "small"]), batch_size=5, seed=3)
    for (batch,) in islice(batches, 4):
        marks = torch.tensor([[0.0], [100.0]])
        torch.testing.assert_close(batch.targets, (batch.inputs.squeeze(-1) - marks) / 7)


def test_a_tasks_order_depends_on_its_name_and_the_seed_only() -> None:
    forwards = Batches(unequal(["large", "small"]), batch_size=4, seed=5)
    backwards = Batches(unequal(["small", "large"]), batch_size=4, seed=5)
    other = Batches(unequal(["large", "small"]), batch_size=4, seed=6)
    same, differs = [], []
    for (a,), (b,), (c,) in islice(zip(forwards, backwards, other, strict=True), 5):
        same.append(torch.equal(a.inputs, b.inputs.flip(0)))
        differs.append(not torch.equal(a.inputs, c.inputs))
    assert all(same)
    assert any(differs)


def shared(labelled: float) -> TaskSet:
    generator = np.random.default_rng(0)
    targets = {name: np.where(generator.random(40) < labelled, np.arange(40.0), np.nan) for name in "abc"}
    return TaskSet.from_shared_inputs(np.arange(40, dtype=np.float32)[:, None], targets, kinds="regression")


def test_tasks_on_one_input_take_the_same_rows_and_mask_missing_labels() -> None:
    tasks = shared(0.8)
    labelled_rows = len(np.unique(tasks.rows))
    batches = Batches(tasks, batch_size=10**6)
    assert batches.same_rows
    counted = np.zeros(3)
    for (batch,) in islice(batches, 1):
        assert batch.one_input
        assert batch.inputs.shape == (labelled_rows, 1)
        rows = batch.inputs.squeeze(-1).expand(3, -1)
        torch.testing.assert_close(batch.targets[batch.present], rows[batch.present])
        counted += batch.present.sum(1).numpy()
    assert counted.tolist() == tasks.n_examples.tolist()


def test_sparsely_labelled_tasks_draw_from_their_own_rows() -> None:
    batches = Batches(shared(0.2), batch_size=4)
    assert not batches.same_rows
    for (batch,) in islice(batches, 5):
        assert batch.present is None
        torch.testing.assert_close(batch.targets, batch.inputs.squeeze(-1))


def test_inputs_of_several_forms_make_several_batches() -> None:
    tasks = TaskSet.from_arrays(
        {"a": (np.zeros((4, 2)), np.arange(4.0)), "b": (np.zeros((6, 3)), np.arange(6.0)), "c": (np.zeros((5, 2)), np.arange(5.0))}
    )
    step = next(iter(Batches(tasks, batch_size=3)))
    assert [batch.tasks.tolist() for batch in step] == [[0, 2], [1]]
    assert [tuple(batch.inputs.shape) for batch in step] == [(2, 3, 2), (1, 3, 3)]


def test_what_cannot_be_batched_is_refused() -> None:
    tasks = unequal(["large", "small"])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        Batches(tasks, batch_size=0)
    with pytest.raises(ValueError, match="'small'"):
        Batches(tasks.select(np.arange(12)), batch_size=2)
