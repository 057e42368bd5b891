"""Made tasks and short runs of methods by their names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softshare.methods.named import method_named
from softshare.methods.settings import RunSettings
from softshare.methods.training import Trainer
from softshare.tasks.task_set import TaskSet

FAST = RunSettings("made", "independent", 1.0, 0, steps=40, hidden=(8, 8), learning_rate=0.02)


def made_tasks(*, alike: bool = True, rows: int = 40) -> TaskSet:
    """Two tasks that depend on their inputs in one way, or in opposite ways."""
    generator = np.random.default_rng(0)
    weights, data = generator.normal(size=6), {}
    for name, sign in (("a", 1), ("b", 1 if alike else -1)):
        inputs = generator.normal(size=(rows, 6)).astype(np.float32)
        data[name] = (inputs, (sign * inputs @ weights > 0).astype(int))
    return TaskSet.from_arrays(data, kinds="binary")


def images_of(side: int) -> TaskSet:
    return TaskSet.from_arrays(
        {name: (np.zeros((4, 1, side, side), dtype=np.float32), np.arange(4) % 2) for name in "ab"}
    )


def settings_of(name: str, **options: int | str) -> RunSettings:
    return replace(FAST, method=name, method_options=options)


def size(name: str, settings: RunSettings, tasks: TaskSet) -> int:
    return sum(
        parameter.numel()
        for parameter in Trainer(method_named(name)).start(settings, tasks).parameters()
    )


def tasks_of_sizes(*sizes: int) -> TaskSet:
    generator = np.random.default_rng(0)
    data = {
        f"of {size}": (generator.normal(size=(20, size)).astype(np.float32), np.arange(20) % 2)
        for size in sizes
    }
    return TaskSet.from_arrays(data, kinds="binary")
