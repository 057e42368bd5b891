"""Every part has its fraction of every label, and a smaller set is part of a larger one."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.tasks.stratify import stratified, thinned
from softshare.tasks.task_set import TaskSet

FRACTIONS = np.array([0.6, 0.2, 0.2])


def tasks_of(n_rows):
    random = np.random.default_rng(n_rows)
    inputs = random.normal(size=(n_rows, 2))
    return TaskSet.from_arrays({name: (inputs, np.arange(n_rows) % 2) for name in "ab"})


@pytest.mark.parametrize("n_rows", [10, 53, 200])
def test_every_part_has_its_fraction_of_every_label_to_one_entry(n_rows):
    tasks = tasks_of(n_rows)
    label = 2 * tasks.task_of + tasks.targets.astype(int)
    part = stratified(tasks, label, np.arange(len(label)), FRACTIONS, seed="0")
    for name in np.unique(label):
        of_parts = np.bincount(part[label == name], minlength=3)
        assert (np.abs(of_parts - FRACTIONS * of_parts.sum()) < 1).all()


def test_entries_of_one_unit_stay_together():
    tasks = tasks_of(60)
    unit = np.arange(120) % 30
    part = stratified(tasks, tasks.targets.astype(int), unit, FRACTIONS, seed="0")
    for number in range(30):
        assert len(np.unique(part[unit == number])) == 1
    sizes = np.bincount(part, minlength=3) / 120
    np.testing.assert_allclose(sizes, FRACTIONS, atol=0.05)


def test_a_part_of_fraction_0_gets_nothing():
    tasks = tasks_of(40)
    label = tasks.targets.astype(int)
    part = stratified(tasks, label, np.arange(80), np.array([0.8, 0.0, 0.2]), seed="0")
    assert set(part) == {0, 2}


def test_another_seed_draws_other_entries():
    tasks = tasks_of(40)
    label = tasks.targets.astype(int)
    parts = [stratified(tasks, label, np.arange(80), FRACTIONS, seed=seed) for seed in "001"]
    np.testing.assert_array_equal(parts[0], parts[1])
    assert (parts[0] != parts[2]).any()


def test_fewer_entries_are_among_more_with_their_fraction_of_every_label():
    tasks = tasks_of(100)
    label = 2 * tasks.task_of + tasks.targets.astype(int)
    kept = [set(thinned(tasks, label, fraction, seed="0")) for fraction in (0.1, 0.3, 1.0)]
    assert kept[0] < kept[1] < kept[2] == set(range(200))
    of_labels = np.bincount(label[sorted(kept[1])])
    np.testing.assert_allclose(of_labels, 0.3 * np.bincount(label), atol=1)
