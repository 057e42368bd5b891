"""What figures of learning draw."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.report.figures import clustered


def test_clustering_puts_the_tasks_of_a_group_side_by_side():
    groups = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    similarity = np.where(groups[:, None] == groups, 0.9, 0.1) + 0.1 * np.eye(9)
    ordered = groups[clustered(similarity)]
    assert np.count_nonzero(np.diff(ordered)) == 2


@pytest.mark.parametrize("n_tasks", [1, 2, 3])
def test_clustering_orders_few_tasks_and_missing_pairs(n_tasks):
    assert sorted(clustered(np.full((n_tasks, n_tasks), np.nan))) == list(range(n_tasks))
