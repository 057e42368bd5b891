"""Folds of rows and groups, and the search of a grid."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.folds import coordinate_search, fold_of_rows
from softshare.shallow.rows import checked_rows


def test_every_task_s_rows_and_classes_are_dealt_out_evenly() -> None:
    generator = np.random.default_rng(0)
    tasks = generator.integers(4, size=200)
    labels = generator.integers(2, size=200)
    rows = checked_rows(np.zeros((200, 1)), labels, tasks, None, kind="binary")
    folds = fold_of_rows(rows, 5, random_state=3)
    for task in range(4):
        for label in (0, 1):
            mine = (tasks == task) & (labels == label)
            counts = np.bincount(folds[mine], minlength=5)
            assert np.ptp(counts) <= 1


def test_groups_stay_whole_in_folds_of_about_one_size() -> None:
    groups = np.repeat(np.arange(12), np.r_[20, 15, np.full(10, 5)])
    n_rows = len(groups)
    rows = checked_rows(
        np.zeros((n_rows, 1)), np.zeros(n_rows), np.arange(n_rows) % 2, groups, kind="regression"
    )
    folds = fold_of_rows(rows, 4, random_state=0)
    for group in range(12):
        assert len(np.unique(folds[groups == group])) == 1
    assert np.ptp(np.bincount(folds)) <= 5


@pytest.mark.parametrize("start", [(0, 0), (5, 5), (3, 1)])
def test_the_search_finds_the_bottom_of_a_valley(start: tuple[int, int]) -> None:
    tried = []

    def loss(first: float, second: float) -> float:
        tried.append((first, second))
        return (first - 4) ** 2 + (second - 1) ** 2 + 0.5 * (first - 4) * (second - 1)

    grid = range(6)
    assert coordinate_search(loss, (grid, grid), start=start) == (4, 1)
    assert len(tried) == len(set(tried)) < 36


def test_a_search_of_short_reach_leaves_far_values_alone() -> None:
    tried = []

    def loss(place: float) -> float:
        tried.append(place)
        return (place - 3) ** 2

    assert coordinate_search(loss, (range(20),), start=(0,), reach=2) == (3,)
    assert max(tried) == 5
