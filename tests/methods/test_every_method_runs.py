"""Every method that applies to a task set runs on it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from softshare.evaluation.jobs.run import run
from softshare.methods.contestants import Contestant
from softshare.methods.named import METHODS
from softshare.methods.settings import RunSettings
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from tests.methods.few_trees import grow_few_trees


def made(shapes: dict[object, tuple[int, ...]]) -> TaskSet:
    generator = np.random.default_rng(0)
    data = {
        name: (generator.normal(size=(30, *shape)).astype(np.float32), np.arange(30) % 2)
        for name, shape in shapes.items()
    }
    return TaskSet.from_arrays(data, kinds="binary")


SETS = {
    "a grid that is not whole": made(dict.fromkeys(list(product("ab", "xyz"))[:5], (4,))),
    "inputs of different sizes": made({"small": (4,), "large": (6,)}),
    "images": made(dict.fromkeys("ab", (1, 8, 8))),
}


# Contestants that run by name alone differ in their estimators, each of which has its own tests.
NAMES = [method.name for method in METHODS if method.default or not isinstance(method, Contestant)]


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("tasks", SETS.values(), ids=SETS)
def test_a_method_that_applies_runs(
    method: str, tasks: TaskSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow_few_trees(monkeypatch)
    (found,) = [each for each in METHODS if each.name == method]
    if reason := found.unsuitable(tasks):
        pytest.skip(reason)
    options = {"preset": "quick"} if method == "auto" else {}
    settings = RunSettings(
        source="made",
        method=method,
        fraction=1.0,
        seed=0,
        steps=2,
        hidden=(4, 4),
        n_folds=2,
        method_options=options,
    )
    assert run(tasks, settings, split(tasks, seed=0))["error"] is None
