"""Whose values rows take when a column is to tell nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from softshare.models.donors import donors, exchange_of

TASKS = np.array([2, 0, 0, 2, 1, 0, 2, 1, 5])


def test_rows_take_the_value_of_another_row_of_their_task() -> None:
    for seed in range(20):
        taken = donors("within tasks", TASKS, np.random.default_rng(seed))
        assert (TASKS[taken] == TASKS).all()
        assert sorted(taken) == list(range(9))
        alone = TASKS == 5
        assert (taken != np.arange(9))[~alone].all()


def test_every_other_row_is_as_likely() -> None:
    counts = np.zeros((5, 5))
    random = np.random.default_rng(0)
    for _ in range(800):
        counts[np.arange(5), donors("within tasks", np.zeros(5, dtype=int), random)] += 1
    others = counts[~np.eye(5, dtype=bool)]
    np.testing.assert_allclose(others / 800, 0.25, atol=0.07)


def test_whole_tasks_exchange_facts() -> None:
    facts = np.array([20.0, 0.0, 0.0, 20.0, 10.0, 0.0, 20.0, 10.0, 50.0])
    taken = facts[donors("among tasks", TASKS, np.random.default_rng(0))]
    by_task = pd.Series(taken).groupby(TASKS)
    assert (by_task.nunique() == 1).all()
    assert sorted(by_task.first()) == [0, 10, 20, 50]
    assert (taken != facts).all()


def test_a_fact_is_the_same_in_all_rows_of_every_task() -> None:
    fact = pd.Series([1.0, np.nan, np.nan, 1.0, 7.0])
    tasks = np.array([0, 1, 1, 0, 2])
    assert exchange_of(fact, tasks) == "among tasks"
    assert exchange_of(fact.fillna(0) + np.arange(5) * (tasks == 0), tasks) == "within tasks"
    assert exchange_of(fact, np.zeros(5, dtype=int)) == "within tasks"
