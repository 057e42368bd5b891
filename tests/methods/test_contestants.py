"""What a person would use instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from softshare.methods.named import CONTESTANTS
from softshare.tasks.task_set import TaskSet
from tests.methods.made_schools import FEW_STEPS, parts, schools


@pytest.mark.parametrize("method", CONTESTANTS, ids=lambda method: method.name)
def test_a_contestant_learns_what_it_can_learn(method) -> None:
    train, validation, test = parts(schools(rows=40))
    learned = method.learn(train, validation, replace(FEW_STEPS, method=method.name))
    assert [rows.shape for rows in learned.predict(test)] == [(8, 1)] * 6
    assert r2_score(test.targets, np.concatenate(learned.predict(test))[:, 0]) > 0.5


def test_one_model_needs_rows_of_each_tasks_own() -> None:
    targets = {name: np.arange(8) % 2 for name in "ab"}
    tasks = TaskSet.from_shared_inputs(np.zeros((8, 2)), targets)
    suitable = [method for method in CONTESTANTS if method.unsuitable(tasks) is None]
    names = {method.name for method in suitable}
    assert names >= {"ridge", "boosted-apart", "mixed-model", "linear-trace-norm", "gp"}
    assert not names & {"pooled-ridge", "boosted", "boosted-on-pooled", "forest"}
    assert all(method.apart or method.tells_apart for method in suitable)
