"""Trees of each task by itself."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.boosted_apart import FEWEST_ROWS, BoostedApart


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_nothing_but_the_number_of_trees_passes_between_tasks(kind: str) -> None:
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(2), 60)
    inputs = generator.normal(size=(120, 2))
    # One task's truth is the other's turned round: what was shared would cancel.
    sign = np.where(tasks == 0, 1.0, -1.0)
    targets = sign * np.sign(inputs[:, 0]) + 0.1 * generator.normal(size=120)
    if kind == "binary":
        targets = (targets > 0).astype(float)
    model = BoostedApart(kind).fit(inputs, targets, tasks)
    for task in (0, 1):
        mine = tasks == task
        said = model.held_out_[mine]
        assert np.corrcoef(said, targets[mine])[0, 1] > 0.8


def test_a_task_of_few_rows_has_its_mean_and_one_never_seen_that_of_all() -> None:
    generator = np.random.default_rng(1)
    few = FEWEST_ROWS - 1
    tasks = np.r_[np.zeros(40, dtype=int), np.ones(few, dtype=int)]
    targets = np.r_[np.zeros(40), np.full(few, 6.0)]
    inputs = generator.normal(size=(len(tasks), 2))
    model = BoostedApart().fit(inputs, targets, tasks)
    outputs = model.predict(inputs[-2:], np.array([1, 2]))
    everyone = targets.mean()
    assert outputs[0] == pytest.approx((6.0 * few + everyone) / (few + 1))
    assert outputs[1] == pytest.approx(everyone)
