"""What the mixed model estimates: which effects share a variance, and rows of groups."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.mixed_fits import Slopes, has_pairs, shared_variances, without_groups
from softshare.shallow.rows import checked_rows


def test_rows_of_a_pair_lose_their_likeness() -> None:
    pairs = np.array([0, 0, 0, 1, 1, 2])
    root, _ = without_groups(np.eye(6), np.zeros(6), pairs, 0.7)
    V = np.eye(6) + 0.7 * (pairs[:, None] == pairs)
    np.testing.assert_allclose(root @ V @ root.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize(
    ("slopes", "members"),
    [
        ("none", [[0, 0, 0, 1]]),
        ("common", [[0, 0, 0, 1], [1, 0, 1, 0]]),
        ("each", [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]]),
    ],
)
def test_a_fact_of_the_task_has_no_random_slope(slopes: Slopes, members: list[list[int]]) -> None:
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(4), 5)
    own = generator.normal(size=(20, 2))
    inputs = np.column_stack([own[:, 0], 3.3 * tasks, own[:, 1], np.ones(20)])
    rows = checked_rows(inputs, np.zeros(20), tasks, None, kind="regression")
    np.testing.assert_array_equal(shared_variances(rows, slopes), members)


def test_pairs_are_of_one_task_and_one_group() -> None:
    tasks = np.array([0, 0, 1, 1])
    inputs = np.ones((4, 1))
    for groups, expected in (([0, 1, 0, 1], False), ([0, 0, 1, 2], True)):
        rows = checked_rows(inputs, np.zeros(4), tasks, groups, kind="regression")
        assert has_pairs(rows) == expected
