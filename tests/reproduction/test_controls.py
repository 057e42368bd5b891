"""Tasks made unrelated: each alone as it was, nothing in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.reproduction.controls import permuted_classes, permuted_inputs, shuffled_targets
from softshare.reproduction.division import ByFraction
from softshare.reproduction.run import Run, _parts
from softshare.reproduction.task_data import Changed, Drawn
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from tests.reproduction.made_experiment import case, experiment


def one_vs_rest() -> TaskSet:
    random = np.random.default_rng(0)
    digits = np.arange(60) % 3
    targets = {f"digit {digit}": digits == digit for digit in range(3)}
    parts = np.repeat(np.array(["train", "test"], dtype=object), [40, 20])
    images = random.integers(0, 255, size=(60, 1, 8, 8)).astype(np.uint8)
    return TaskSet.from_shared_inputs(images, targets, parts=parts)


def without_parts(seed: int) -> TaskSet:
    """The same, to be divided."""
    return replace(one_vs_rest(), parts=())


def test_every_task_sees_its_pixels_in_an_order_of_its_own():
    tasks = one_vs_rest()
    changed = permuted_inputs(tasks, 0)
    orders = []
    for number in range(3):
        before, targets = tasks.examples(number)
        after, same_targets = changed.examples(number)
        np.testing.assert_array_equal(targets, same_targets)
        flat, moved = before.flatten(1).numpy(), after.flatten(1).numpy()
        np.testing.assert_array_equal(np.sort(flat), np.sort(moved))
        # one order serves all rows of a task: a column went to another place, whole
        columns = {column.tobytes(): place for place, column in enumerate(flat.T)}
        orders.append([columns[column.tobytes()] for column in np.ascontiguousarray(moved.T)])
    assert orders[0] != orders[1] != orders[2]
    assert permuted_inputs(tasks, 1).fingerprint() != changed.fingerprint()


@pytest.mark.parametrize("is_trial", [False, True])
@pytest.mark.parametrize("change", [permuted_inputs, shuffled_targets])
def test_a_control_is_divided_as_the_data_that_it_was_made_of(change, is_trial):
    """Rows that tasks have in common stay together: a joint decision of all tasks, such as the
    ten-way error, needs every row in all of them.
    """
    data = Drawn(without_parts)
    control = Changed(data, change)
    division = ByFraction(train=0.3, parts=(2 / 3, 0.0, 1 / 3))
    made = experiment(cases=(case(data=data, division=division),), drawings=(), published=())
    drawn = {}
    for name, source in {"data": data, "control": control}.items():
        of_one = replace(made, cases=(replace(made.cases[0], data=source),))
        run = Run("main", "shared", "", 3, is_trial=is_trial)
        parts = _parts(of_one, of_one.cases[0], run)
        judged = parts.judged
        rows = [judged.rows[judged.entries(number)] for number in range(3)]
        assert len(rows[0]) > 0
        assert all(np.array_equal(np.sort(own), np.sort(rows[0])) for own in rows)
        every = (parts.train, parts.validation, judged)
        drawn[name] = [part.rows.tolist() for part in every]
    assert drawn["data"] == drawn["control"]


def test_given_parts_stay_with_their_rows():
    tasks = permuted_inputs(one_vs_rest(), 0)
    drawn = split(tasks, seed=0, fractions=(2 / 3, 0.0, 1 / 3))
    assert tasks.select(drawn.test).n_examples.tolist() == [20, 20, 20]


def test_classes_are_numbered_anew_and_targets_shuffled():
    classes = np.arange(30) % 5
    data = {name: (np.zeros((30, 2)), classes) for name in ("a", "b", "c")}
    tasks = TaskSet.from_arrays(data, kinds="multiclass")
    changed = permuted_classes(tasks, 0)
    maps = []
    for number in range(3):
        own = changed.targets[changed.entries(number)]
        maps.append(tuple(own[:5]))
        np.testing.assert_array_equal(own, np.array(maps[-1])[classes])
    assert len(set(maps)) > 1
    shuffled = shuffled_targets(tasks, 0)
    own = shuffled.targets[shuffled.entries(0)]
    np.testing.assert_array_equal(np.sort(own), np.sort(classes))
    assert (own != classes).any()


def test_a_change_that_drops_entries_is_refused():
    control = Changed(Drawn(without_parts), lambda tasks, _: tasks.keep_tasks([0, 1]))
    made = experiment(cases=(case(data=control, division=ByFraction()),))
    with pytest.raises(ValueError, match="main: a control needs the entries"):
        _parts(made, made.cases[0], Run("main", "shared", "", 0))
