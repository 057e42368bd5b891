"""How much of what the networks of several folds say is added to their base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from softshare.methods.fold_weight import (
    FoldOutputs,
    at_steps_of_others,
    useful_folds,
    weight_of,
    weight_of_networks,
)
from softshare.tasks.task_set import TaskSet


def told_at(outputs_at: dict[int, list[float]]) -> FoldOutputs:
    """What a network said of its fold at some steps."""
    nothing = TaskSet.from_arrays({"a": (np.zeros((1, 1)), np.zeros(1))}, kinds="regression")
    told = FoldOutputs(nothing)
    told.steps = list(outputs_at)
    told.outputs = [np.array(each)[:, None] for each in outputs_at.values()]
    return told


def test_a_network_that_says_no_more_of_its_fold_than_the_base_is_of_no_use() -> None:
    """Of two rows a fold: one loses what the other gains; both gain; a row that counts twice."""
    zeros = np.zeros(6)
    tasks = TaskSet.from_arrays({"a": (np.zeros((6, 1)), zeros)}, kinds="regression")
    base = np.ones((6, 1))
    whole = np.sqrt([[0.0], [2.0], [0.5], [0.5], [0.2], [1.7]])
    fold = np.array([0, 0, 1, 1, 2, 2])
    assert useful_folds(tasks, base, whole, fold).tolist() == [False, True, True]
    counted = replace(tasks, weights=np.array([1.0, 1, 1, 1, 1, 2]))
    assert useful_folds(counted, base, whole, fold).tolist() == [False, True, False]


@pytest.mark.parametrize("best", [-0.4, 0.0, 0.003, 0.37, 0.997, 1.0, 1.8])
def test_of_what_networks_add_as_much_is_taken_as_does_best(best: float) -> None:
    """Squared errors are least at the projection of what is missing on what is added."""
    random = np.random.default_rng(0)
    base, added = random.normal(size=(2, 5000, 1))
    tasks = TaskSet.from_arrays({"a": (np.zeros((5000, 1)), np.zeros(5000))}, kinds="regression")
    noise = random.normal(size=(5000, 1))
    noise -= added * (added * noise).sum() / (added * added).sum()
    tasks.targets[:] = (base + best * added + noise)[:, 0]
    found = weight_of(tasks, base, base + added)
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
    assert weight_of(tasks, base, whole) == pytest.approx(expected, rel=1e-5)


def test_targets_of_one_row_scatter_together() -> None:
    """Twice the same column is no more evidence than once."""
    rows = np.zeros((4, 1))
    base = np.array([[4.0], [1.0], [1.0], [1.0]])
    whole = np.array([[3.0], [np.sqrt(2)], [1.0], [1.0]])
    once = TaskSet.from_arrays({"a": (rows, np.zeros(4))}, kinds="regression")
    columns = {"a": np.zeros(4), "b": np.zeros(4)}
    twice = TaskSet.from_shared_inputs(rows, columns, kinds="regression")
    of_twice = weight_of(twice, np.vstack([base, base]), np.vstack([whole, whole]))
    assert of_twice == pytest.approx(weight_of(once, base, whole))


def three_folds() -> tuple[TaskSet, np.ndarray, np.ndarray, list[FoldOutputs]]:
    """Targets are 0, so that squared outputs are losses; the base says 2 of every row.

    Losses at the steps 0, 10, 20: fold 0 has 4, 1, 9; fold 1 has 4, 9, 1; fold 2, which is stopped
    after 10 steps, has 4, 0.25, 0.25.
    """
    tasks = TaskSet.from_arrays({"a": (np.zeros((3, 1)), np.zeros(3))}, kinds="regression")
    told = [
        told_at({10: [1.0], 20: [3.0]}),
        told_at({10: [3.0], 20: [1.0]}),
        told_at({10: [0.5]}),
    ]
    return tasks, np.full((3, 1), 2.0), np.arange(3), told


def test_each_fold_stands_where_the_others_have_the_least_loss() -> None:
    """Of 1 and 2 that is 8, 9.25, 1.25; of 0 and 2 it is 8, 1.25, 9.25; of 0 and 1 it is 8, 10, 10,
    so that the third network is judged before its first step.
    """
    found = at_steps_of_others(*three_folds())
    np.testing.assert_array_equal(found[:, 0], [3.0, 3.0, 2.0])


def test_rows_that_count_more_do_in_the_choice_of_steps() -> None:
    """Fold 0 counting three times has 12, 3, 27: of 0 and 1 it is then 16, 12, 28."""
    tasks, base, fold, told = three_folds()
    counted = replace(tasks, weights=np.array([3.0, 1.0, 1.0]))
    found = at_steps_of_others(counted, base, fold, told)
    np.testing.assert_array_equal(found[:, 0], [3.0, 3.0, 0.5])


def test_the_weight_lies_between_that_at_own_steps_and_that_at_the_others() -> None:
    tasks, base, fold, told = three_folds()
    whole = np.array([[1.0], [1.0], [0.5]])
    by_own = weight_of(tasks, base, whole)
    by_others = weight_of(tasks, base, at_steps_of_others(tasks, base, fold, told))
    assert by_own > 0.9
    assert by_others == 0
    found = weight_of_networks(tasks, base, whole, fold, told)
    assert found == pytest.approx(0.368 * by_own)


def test_where_all_folds_choose_the_same_step_nothing_is_taken_off() -> None:
    tasks, base, fold, _ = three_folds()
    told = [told_at({10: [1.0], 20: [3.0]})] * 3
    whole = np.ones((3, 1))
    assert weight_of_networks(tasks, base, whole, fold, told) == pytest.approx(
        weight_of(tasks, base, whole)
    )


def test_noise_that_stops_early_by_chance_is_taken_for_less_than_by_its_own_folds() -> None:
    """Outputs that have nothing to do with the targets: each fold finds a step that pleases it."""
    random = np.random.default_rng(0)
    by_own, by_both = [], []
    for _ in range(40):
        targets = random.normal(size=16)
        tasks = TaskSet.from_arrays({"a": (np.zeros((16, 1)), targets)}, kinds="regression")
        fold = np.arange(16) % 4
        base = np.zeros((16, 1))
        noise = random.normal(size=(8, 16, 1))
        told = []
        whole = base.copy()
        for number in range(4):
            own = fold == number
            losses = ((noise[:, own, 0] - targets[own]) ** 2).sum(1)
            whole[own] = noise[losses.argmin(), own]
            told.append(told_at({step + 1: list(noise[step, own, 0]) for step in range(8)}))
        by_own.append(weight_of(tasks, base, whole))
        by_both.append(weight_of_networks(tasks, base, whole, fold, told))
    assert np.mean(by_own) > 0.3
    assert np.mean(by_both) < 0.6 * np.mean(by_own)


@pytest.mark.parametrize("far", [1e9, 1e20, np.inf, np.nan])
def test_a_fold_s_own_loss_never_chooses_its_own_step(far: float) -> None:
    """The others say 10, whatever the first network says at 20; where it has diverged there, the
    step is nobody's.
    """
    tasks, base, fold, _ = three_folds()
    told = [
        told_at({10: [1.0], 20: [far]}),
        told_at({10: [1.0], 20: [3.0]}),
        told_at({10: [1.0], 20: [3.0]}),
    ]
    found = at_steps_of_others(tasks, base, fold, told)
    np.testing.assert_array_equal(found[:, 0], [1.0, 1.0, 1.0])
    assert weight_of_networks(tasks, base, np.ones((3, 1)), fold, told) > 0.9


def test_where_nothing_was_evaluated_the_own_steps_say_the_weight() -> None:
    tasks, base, fold, told = three_folds()
    whole = np.ones((3, 1))
    told[2] = told_at({})
    for nothing in (told, []):
        found = weight_of_networks(tasks, base, whole, fold, nothing)
        assert found == weight_of(tasks, base, whole)


def test_steps_are_chosen_by_the_loss_of_the_tasks() -> None:
    """Three classes, a row of each. The first two networks are sure at step 10 and wrong by nine at
    20, the third the other way round. The first two say 10, wrong for the third; a right and a
    wrong one lose more than two that say nothing, 2 log 3.
    """
    tasks = TaskSet.from_arrays({"a": (np.zeros((3, 1)), np.arange(3))}, kinds="multiclass")
    sure = 9 * np.eye(3)
    wrong = np.roll(sure, 1, axis=1)
    told = [told_at({}) for _ in range(3)]
    for number, each in enumerate(told):
        right, other = sure[[number]], wrong[[number]]
        each.steps = [10, 20]
        each.outputs = [right, other] if number < 2 else [other, right]
    found = at_steps_of_others(tasks, np.zeros((3, 3)), np.arange(3), told)
    np.testing.assert_array_equal(found, np.vstack([np.zeros((2, 3)), wrong[[2]]]))
