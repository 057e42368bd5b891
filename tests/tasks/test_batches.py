"""Batches: every example once an epoch, missing labels masked, order set by seed and name alone."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from softshare.tasks.ahead import ahead
from softshare.tasks.batches import Augment, Batch, Batches, Policy
from softshare.tasks.task_set import TaskSet


def unequal(order: list[str]) -> TaskSet:
    sizes = {"large": 12, "small": 3}
    marks = {"large": 0.0, "small": 100.0}
    return TaskSet.from_arrays(
        {
            name: (
                np.arange(sizes[name], dtype=np.float32)[:, None] + marks[name],
                np.arange(sizes[name]) / 7,
            )
            for name in order
        },
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
    targets = {
        name: np.where(generator.random(40) < labelled, np.arange(40.0), np.nan) for name in "abc"
    }
    return TaskSet.from_shared_inputs(
        np.arange(40, dtype=np.float32)[:, None], targets, kinds="regression"
    )


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
        {
            "a": (np.zeros((4, 2)), np.arange(4.0)),
            "b": (np.zeros((6, 3)), np.arange(6.0)),
            "c": (np.zeros((5, 2)), np.arange(5.0)),
        }
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


def sized(sizes: dict[str, int]) -> TaskSet:
    """Tasks of these sizes; an input tells its task and its number there."""
    return TaskSet.from_arrays(
        {
            name: (
                np.stack([np.full(size, place), np.arange(size)], 1).astype(np.float32),
                np.arange(size) / 7,
            )
            for place, (name, size) in enumerate(sizes.items())
        },
        kinds="regression",
    )


def examples_of(steps: list[tuple[Batch, ...]]) -> Counter[tuple[float, float]]:
    """How often every example came; inputs must be of the task that the batch names."""
    counts: Counter[tuple[float, float]] = Counter()
    for (batch,) in steps:
        assert (batch.inputs[..., 0] == batch.tasks[:, None]).all()
        counts.update(map(tuple, batch.inputs.flatten(0, 1).tolist()))
    return counts


def test_every_pass_is_a_permutation_and_passes_differ() -> None:
    batches = Batches(sized({"a": 7, "b": 30}), batch_size=7)
    steps = torch.stack([batch.inputs[0, :, 1] for (batch,) in islice(batches, 200)])
    assert (steps.sort(1).values == torch.arange(7.0)).all()
    assert len({tuple(order) for order in steps.tolist()}) > 180  # of 5,040


def test_an_epoch_of_shortest_ends_before_an_example_comes_twice() -> None:
    batches = Batches(sized({"a": 7, "b": 30}), batch_size=2, policy="shortest")
    assert batches.steps_per_epoch == 3
    assert set(examples_of(list(islice(batches, 3))).values()) == {1}
    assert Batches(sized({"a": 7, "b": 30}), batch_size=64, policy="shortest").batch_size == 7


@pytest.mark.parametrize("tasks_per_step", [None, 1, 2])
@pytest.mark.parametrize("drawn_ahead", [1, 1 << 14])
def test_no_epoch_of_shortest_shows_an_example_twice(
    tasks_per_step: int | None, drawn_ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softshare.tasks.batches.DRAWN_AHEAD", drawn_ahead)
    batches = Batches(
        sized({"a": 10, "b": 30, "c": 13}),
        batch_size=4,
        policy="shortest",
        tasks_per_step=tasks_per_step,
        seed=3,
    )
    steps, whole = iter(batches), Counter[tuple[float, float]]()
    for _ in range(200):
        epoch = examples_of(list(islice(steps, batches.steps_per_epoch)))
        assert set(epoch.values()) == {1}
        whole += epoch
    of_b = [whole[1, number] for number in range(30)]  # which goes on from epoch to epoch
    assert min(of_b) > 0.75 * max(of_b)
    assert len(whole) == 53


def test_no_epoch_of_shortest_shows_a_shared_row_twice() -> None:
    batches = Batches(shared(0.8), batch_size=12, policy="shortest")
    assert batches.same_rows
    steps = iter(batches)
    for _ in range(20):
        rows = torch.cat([batch.inputs for (batch,) in islice(steps, batches.steps_per_epoch)])
        assert len(rows.unique()) == len(rows) == 36


def test_a_low_temperature_draws_the_largest_task() -> None:
    for temperature in (0.005, 1e-320):
        batches = Batches(
            sized({"a": 100, "b": 99, "c": 30_000}),
            batch_size=4,
            policy="temperature",
            temperature=temperature,
        )
        assert all(batch.tasks.tolist() == [2, 2, 2] for (batch,) in islice(batches, 20))


def test_some_tasks_a_step_come_in_turn_and_an_epoch_shows_the_largest_once() -> None:
    batches = Batches(sized(dict.fromkeys("abcdefg", 6)), batch_size=2, tasks_per_step=3, seed=1)
    assert batches.steps_per_epoch == 7  # 3 steps of each of 7 tasks, 3 tasks a step
    steps = list(islice(batches, 7))
    drawn = torch.cat([batch.tasks for (batch,) in steps]).view(3, 7)
    assert (drawn.sort(1).values == torch.arange(7)).all()
    assert not torch.equal(drawn[0], drawn[1])
    assert set(examples_of(steps).values()) == {1}


@pytest.mark.parametrize(
    ("policy", "temperature", "power"),
    [("proportional", 9.0, 1.0), ("temperature", 2.0, 0.5), ("temperature", 1.0, 1.0)],
)
def test_tasks_are_drawn_by_their_size(policy: Policy, temperature: float, power: float) -> None:
    sizes = np.array([100, 25, 4])
    batches = Batches(
        sized({"a": 100, "b": 25, "c": 4}),
        batch_size=5,
        policy=policy,
        temperature=temperature,
        tasks_per_step=2,
    )
    assert batches.steps_per_epoch == 13  # 129 examples, 10 a step
    steps = list(islice(batches, 2000))
    drawn = np.bincount(torch.cat([batch.tasks for (batch,) in steps]).numpy(), minlength=3)
    expected = 4000 * sizes**power / (sizes**power).sum()
    assert (np.abs(drawn - expected) < 4 * np.sqrt(expected)).all()
    counts = examples_of(
        steps
    )  # within a task no example comes more than once more often than another
    for task in range(3):
        of_task = [counts[task, number] for number in range(sizes[task])]
        assert max(of_task) - min(of_task) <= 1


def test_proportional_weighs_every_example_alike() -> None:
    tasks = sized({"a": 60, "b": 20})
    total = sum(
        float(batch.targets.sum())
        for (batch,) in islice(
            Batches(tasks, batch_size=4, policy="proportional", tasks_per_step=1), 20_000
        )
    )
    assert total / 80_000 == pytest.approx(tasks.targets.mean(), rel=0.02)


def test_a_task_drawn_twice_in_a_step_goes_on_in_its_order() -> None:
    batches = Batches(sized({"a": 40, "b": 1}), batch_size=10, policy="proportional", seed=2)
    twice = next(batch for (batch,) in batches if batch.tasks.tolist() == [0, 0])
    assert len(set(twice.inputs[..., 1].flatten().tolist())) >= 10
    assert not torch.equal(twice.inputs[0], twice.inputs[1])


def test_some_tasks_on_one_input_take_the_same_rows() -> None:
    tasks = shared(0.8)
    batches = Batches(tasks, batch_size=8, tasks_per_step=2)
    assert batches.same_rows
    for (batch,) in islice(batches, 30):
        assert batch.targets.shape == (2, 8)
        rows = batch.inputs.squeeze(-1).expand(2, -1)
        torch.testing.assert_close(batch.targets[batch.present], rows[batch.present])
        assert (batch.targets[~batch.present] == 0).all()


def test_steps_with_several_forms_hold_the_drawn_tasks_only() -> None:
    tasks = TaskSet.from_arrays(
        {name: (np.zeros((6, 2 + (name in "bd"))), np.arange(6.0)) for name in "abcd"}
    )
    for step in islice(Batches(tasks, batch_size=3, tasks_per_step=2), 10):
        assert sum(len(batch.tasks) for batch in step) == 2
        assert all(
            batch.inputs.shape[-1] == 2 + int(task) % 2 for batch in step for task in batch.tasks
        )


class OnDisk:
    """Rows that are not in memory, and which thread asked for them."""

    shape, threads = (40, 1), set[str]()

    def __len__(self) -> int:
        return 40

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.threads.add(threading.current_thread().name)
        return rows[:, None].astype(np.float32)


def noisy(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return images + torch.rand(images.shape, generator=generator)


@pytest.mark.parametrize("augment", [None, noisy])
def test_reading_ahead_changes_nothing_but_the_thread(augment: Augment | None) -> None:
    tasks = TaskSet.from_task_column(
        OnDisk(), np.arange(40.0), np.repeat(["a", "b"], 20), kind="regression"
    )
    streams = [
        Batches(tasks, batch_size=4, seed=3, augment=augment, read_ahead=depth)
        for depth in (0, 1, 5)
    ]
    for steps in islice(zip(*streams, strict=True), 20):
        first, *others = (step[0] for step in steps)
        assert all(
            torch.equal(first.inputs, other.inputs) and torch.equal(first.targets, other.targets)
            for other in others
        )
        assert augment or torch.equal(first.inputs.squeeze(-1), first.targets)
    OnDisk.threads.clear()
    next(iter(Batches(tasks, batch_size=4)))
    assert threading.main_thread().name not in OnDisk.threads


def test_a_reading_thread_ends_with_its_iterator_and_hands_on_errors() -> None:
    begun = threading.active_count()
    steps = iter(Batches(sized({"a": 7, "b": 30}), batch_size=2, read_ahead=2))
    next(steps)
    assert threading.active_count() == begun + 1
    del steps
    assert threading.active_count() == begun
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda number: 1 // number, [2, 1, 0, 1], 3))


def test_an_augmentation_differs_from_step_to_step() -> None:
    tasks = shared(1.0)
    first, second = islice(Batches(tasks, batch_size=40, augment=noisy), 2)
    noise = [(step[0].inputs - step[0].targets[0][:, None]).flatten() for step in (first, second)]
    assert not torch.allclose(noise[0], noise[1])


def test_a_batch_in_another_precision_keeps_whole_numbers_and_the_classes_apart() -> None:
    classes = torch.tensor([[256.0, 257.0, 258.0]])  # one number in bfloat16
    tokens = Batch(torch.zeros(1, dtype=torch.long), torch.tensor([[7, 8, 9]]), classes)
    images = Batch(tokens.tasks, torch.rand(1, 3, 2), classes)
    for dtype, of_targets in ((torch.bfloat16, torch.float32), (torch.float64, torch.float64)):
        for batch, of_inputs in ((tokens, torch.int64), (images, dtype)):
            moved = batch.to(torch.device("cpu"), dtype)
            assert (moved.inputs.dtype, moved.targets.dtype) == (of_inputs, of_targets)
            assert torch.equal(moved.targets, classes.to(of_targets))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"policy": "largest"},
            "policy must be one of cycle, shortest, proportional, temperature, got 'largest'",
        ),
        ({"tasks_per_step": 3}, "tasks_per_step must be from 1 to the number of tasks, 2, got 3"),
        ({"tasks_per_step": 0}, "got 0"),
        ({"temperature": 0.0}, "temperature must be above 0"),
    ],
)
def test_wrong_policies_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Batches(unequal(["large", "small"]), batch_size=2, **arguments)
