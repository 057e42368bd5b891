"""Made tasks with one line and each its own offset, as schools have."""

from __future__ import annotations

import numpy as np

from softshare.methods.settings import RunSettings
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

FEW_STEPS = RunSettings("made", "tied", 1.0, 0, steps=20, hidden=(4,), n_folds=2)


def schools(*, rows: int = 12, tasks: int = 6, own: float = 0.5, seed: int = 0) -> TaskSet:
    """One line for all tasks, and each task's own offset."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows * tasks, 3))
    task = np.repeat(np.arange(tasks), rows)
    offsets = own * random.normal(size=tasks)
    target = inputs @ [1.0, -0.5, 0.2] + offsets[task] + 0.5 * random.normal(size=len(task))
    return TaskSet.from_task_column(inputs, target, task)


def parts(tasks: TaskSet) -> tuple[TaskSet, TaskSet, TaskSet]:
    return prepare(tasks, split(tasks, seed=0, fractions=(0.8, 0.0, 0.2)))
