"""The ordering methods from task set to record: one input for all, an input for each, tasks of
different form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from softshare.evaluation.jobs.run import run
from softshare.methods.settings import RunSettings
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

ORDERINGS = ("parallel-ordering", "permuted-ordering", "soft-ordering")
STEPS = 20


def one_input() -> TaskSet:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(60, 5)).astype(np.float32)
    return TaskSet.from_shared_inputs(
        inputs,
        {name: (inputs[:, number] > 0).astype(int) for number, name in enumerate("abc")},
        kinds="binary",
    )


def different_forms() -> TaskSet:
    generator = np.random.default_rng(0)
    data = {}
    for name, width, classes in (("a", 4, 3), ("b", 7, 2), ("c", 4, 5)):
        data[name] = (
            generator.normal(size=(60, width)).astype(np.float32),
            np.arange(60) % classes,
        )
    return TaskSet.from_arrays(data, kinds="multiclass")


def images() -> TaskSet:
    generator = np.random.default_rng(0)
    data = {
        name: (generator.normal(size=(40, 1, 9, 8)).astype(np.float32), np.arange(40) % 2)
        for name in ("a", "b", "c")
    }
    return TaskSet.from_arrays(data, kinds="binary")


def record_of(tasks: TaskSet, method: str) -> dict[str, Any]:
    settings = RunSettings(
        source="made", method=method, fraction=1.0, seed=0, steps=STEPS, hidden=(6,), batch_size=8
    )
    record = run(tasks, settings, split(tasks, seed=0))
    assert record["error"] is None
    assert record["curve"][-1]["step"] == STEPS
    return record


@pytest.mark.parametrize("make", [one_input, different_forms, images])
def test_scales_are_in_the_record(make: Any) -> None:
    tasks, scales, learned = make(), {}, {}
    for method in ORDERINGS:
        diagnostic = record_of(tasks, method)["sharing"]["ordering"]["core.scales"]
        assert diagnostic["axes"] == ["depth", "layer"]
        scales[method] = np.array(diagnostic["values"])
        n_tasks, depth, n_layers = scales[method].shape
        assert (n_tasks, depth) == (3, n_layers)
        assert scales[method].sum(-1) == pytest.approx(1, abs=1e-3)
        steps = [row["step"] for row in diagnostic["history"]]
        assert steps == sorted(steps)
        assert steps[-1] == STEPS
        learned[method] = (
            len(np.unique([row["values"] for row in diagnostic["history"]], axis=0)) > 1
        )
    assert (scales["parallel-ordering"] == np.eye(n_layers)).all()
    assert set(np.unique(scales["permuted-ordering"])) == {0.0, 1.0}
    assert learned == {
        "parallel-ordering": False,
        "permuted-ordering": False,
        "soft-ordering": True,
    }


def test_only_what_is_trained_counts() -> None:
    sizes = {method: record_of(one_input(), method)["parameters"] for method in ORDERINGS}
    assert sizes["parallel-ordering"] == sizes["permuted-ordering"]
    layers = record_of(one_input(), "soft-ordering")["sharing"]["layers"]
    assert (
        sizes["soft-ordering"] - sizes["parallel-ordering"] == layers["core.scales"]["parameters"]
    )


def test_methods_without_an_order_record_none() -> None:
    assert "ordering" not in record_of(one_input(), "tied")["sharing"]
