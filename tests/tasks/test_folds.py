"""Folds: everything once, evenly, nothing torn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softshare.tasks.folds import folds
from softshare.tasks.task_set import TaskSet


def own_rows(sizes: dict[str, int]) -> TaskSet:
    generator = np.random.default_rng(0)
    return TaskSet.from_arrays(
        {
            name: (generator.normal(size=(size, 2)), np.arange(size) % 2)
            for name, size in sizes.items()
        },
        kinds="binary",
    )


@pytest.mark.parametrize("n_folds", [2, 3, 5])
def test_every_fold_has_its_share_of_every_task_and_class(n_folds: int) -> None:
    tasks = own_rows({"a": 40, "b": 23, "c": 17})
    fold = folds(tasks, n_folds, seed=0)
    counts = pd.crosstab([tasks.task_of, tasks.targets], fold).to_numpy()
    assert counts.shape == (6, n_folds)
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(np.bincount(fold, minlength=n_folds)) <= 1


def test_rows_of_several_tasks_and_groups_are_not_torn() -> None:
    generator = np.random.default_rng(0)
    targets = {name: generator.integers(0, 2, 60) for name in "abc"}
    for groups in (None, np.arange(60) // 3):
        tasks = TaskSet.from_shared_inputs(generator.normal(size=(60, 2)), targets, groups=groups)
        fold = folds(tasks, 5, seed=0)
        unit = tasks.rows if groups is None else groups[tasks.rows]
        assert pd.Series(fold).groupby(unit).nunique().max() == 1
        assert np.bincount(fold).tolist() == [36] * 5


def test_folds_depend_on_the_seed_alone() -> None:
    tasks = own_rows({"a": 40, "b": 23})
    assert np.array_equal(folds(tasks, 5, seed=1), folds(tasks, 5, seed=1))
    assert not np.array_equal(folds(tasks, 5, seed=1), folds(tasks, 5, seed=2))


@pytest.mark.parametrize("n_folds", [1, 7])
def test_folds_that_cannot_be_are_refused(n_folds: int) -> None:
    with pytest.raises(
        ValueError, match=f"n_folds: at least 2, and no more than the 6 rows.*got {n_folds}"
    ):
        folds(own_rows({"a": 3, "b": 3}), n_folds, seed=0)
