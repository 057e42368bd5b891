"""Divisions by counts and fractions."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.reproduction.division import ByCount, ByFraction, InTurn, held_out, with_spare
from softshare.tasks.task_set import TaskSet


def own_rows(*sizes: int) -> TaskSet:
    data = {}
    for number, size in enumerate(sizes):
        data[f"task {number}"] = (np.zeros((size, 2)), np.arange(size) % 2)
    return TaskSet.from_arrays(data, kinds="binary")


def same_rows(parts=None) -> TaskSet:
    digits = np.arange(60) % 3
    targets = {f"digit {digit}": digits == digit for digit in range(3)}
    return TaskSet.from_shared_inputs(np.zeros((60, 2)), targets, parts=parts)


def counts(tasks, entries):
    return tasks.select(entries).n_examples.tolist()


def test_counts_differ_by_task_and_all_the_rest_tests():
    tasks = own_rows(50, 30)
    drawn = ByCount({"task 0": 20, "task 1": 5}, validation=3)(tasks, 0)
    assert counts(tasks, drawn.train) == [20, 5]
    assert counts(tasks, drawn.validation) == [3, 3]
    assert counts(tasks, drawn.test) == [27, 22]
    together = np.concatenate([drawn.train, drawn.validation, drawn.test])
    assert sorted(together) == list(range(80))


def test_fewer_lie_within_more_and_other_seeds_draw_others():
    tasks = own_rows(50)
    few, more = ByCount(5)(tasks, 0), ByCount(20)(tasks, 0)
    assert set(few.train) < set(more.train)
    assert set(ByCount(5)(tasks, 1).train) != set(few.train)


def test_tasks_of_the_same_rows_draw_the_same():
    tasks = same_rows()
    drawn = ByCount(10)(tasks, 0)
    by_task = [tasks.rows[drawn.train][tasks.task_of[drawn.train] == t].tolist() for t in range(3)]
    assert by_task[0] == by_task[1] == by_task[2]


def test_a_given_test_part_alone_tests_and_may_be_cut():
    parts = np.repeat(np.array(["train", "test"], dtype=object), [40, 20])
    tasks = same_rows(parts)
    drawn = ByCount(10)(tasks, 0)
    assert set(tasks.rows[drawn.test]) == set(range(40, 60))
    assert len(drawn.train) == 30
    cut = ByCount(10, most_test=5)(tasks, 0)
    assert set(tasks.rows[cut.test]) == set(range(40, 45))
    by_fraction = ByFraction(0.5, parts=(0.8, 0.0, 0.2), most_test=5)(tasks, 0)
    assert (len(by_fraction.train), len(by_fraction.test)) == (60, 15)


def test_too_many_are_refused_by_name():
    with pytest.raises(ValueError, match="task 'task 1' has 30 examples to draw from, 40 are"):
        ByCount(40)(own_rows(50, 30), 0)


def test_what_is_held_out_comes_from_the_training_part_alone():
    tasks = own_rows(50, 40)
    drawn = ByCount(20)(tasks, 0)
    trial = held_out(tasks, drawn, 0.25, 0)
    assert set(trial.train) | set(trial.validation) == set(drawn.train)
    # 20 of two classes: a quarter of each class, whole rows
    assert all(4 <= count <= 6 for count in counts(tasks, trial.validation))
    assert len(trial.test) == 0


def test_spare_examples_are_of_no_part_of_the_draw():
    tasks = own_rows(50, 40)
    drawn = ByCount(5, validation=2, most_test=20)(tasks, 0)
    trial = with_spare(tasks, drawn, 4, 0)
    assert trial.train.tolist() == drawn.train.tolist()
    assert counts(tasks, trial.validation) == [4, 4]
    used = np.concatenate([drawn.train, drawn.validation, drawn.test])
    assert not set(trial.validation) & set(used)
    assert len(trial.test) == 0


def test_tasks_of_the_same_rows_have_the_same_spare_ones_and_too_many_are_refused():
    parts = np.repeat(np.array(["train", "test"], dtype=object), [40, 20])
    tasks = same_rows(parts)
    drawn = ByCount(10)(tasks, 0)
    spare = with_spare(tasks, drawn, 30, 0).validation
    assert set(tasks.rows[spare]) == set(range(40)) - set(tasks.rows[drawn.train])
    fewer = with_spare(tasks, drawn, 7, 0).validation
    by_task = [tasks.rows[fewer][tasks.task_of[fewer] == t].tolist() for t in range(3)]
    assert by_task[0] == by_task[1] == by_task[2]
    with pytest.raises(ValueError, match="'digit 0' has 30 examples to draw from, 31 are"):
        with_spare(tasks, drawn, 31, 0)


def test_fractions_differ_by_task():
    tasks = own_rows(60, 60)
    drawn = ByFraction({"task 0": 1.0, "task 1": 0.5}, parts=(0.5, 0.0, 0.5))(tasks, 0)
    assert counts(tasks, drawn.train) == [30, 15]
    assert counts(tasks, drawn.test) == [30, 30]
    alike = ByFraction({"task 0": 0.5, "task 1": 0.5})(tasks, 3)
    assert alike.digest() == ByFraction(0.5)(tasks, 3).digest()


def test_divisions_have_their_turn_seed_by_seed():
    tasks = own_rows(50, 50)
    in_turn = InTurn((ByCount(5), ByCount(9)))
    sizes = [counts(tasks, in_turn(tasks, seed).train)[0] for seed in range(4)]
    assert sizes == [5, 9, 5, 9]
