"""What methods make of their options: the sharing of every layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import softshare as ss
from softshare.methods.named import method_named
from softshare.methods.network_method import NetworkMethod

LAYERS = ["first", "second", "output"]
RING = ss.TensorRing(5, shared=1, cores=4, common_start=True)
PATTERN = ss.TensorRing(5, shared="21", cores=4, common_start=True)
PRIOR = {"epsilon": 0.2, "scale": 0.5, "every": 7, "warm_up": 3}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "last-axis-flattening",
            {"task_rank": 0.4, "epsilon": 0.2, "apart": 0.0},
            {"*": ss.LastAxisFlattening(0.4)},
        ),
        (
            "last-axis-flattening",
            {"task_rank": 0.4, "epsilon": 0.2, "apart": 0.25},
            {"*": ss.LastAxisFlattening(epsilon=0.2)},
        ),
        (
            "tucker",
            {"ranks": 0.6, "task_rank": 0.4, "epsilon": 0.2, "apart": 0.0},
            {"*": ss.Tucker(0.6, task_rank=0.4)},
        ),
        (
            "tucker",
            {"ranks": 0.6, "task_rank": 0.4, "epsilon": 0.2, "apart": 0.25},
            {"*": ss.Tucker(epsilon=0.2)},
        ),
        (
            "tensor-train",
            {"ranks": 0.6, "task_rank": 0.4, "epsilon": 0.2, "apart": 0.0},
            {"*": ss.TensorTrain(0.6, task_rank=0.4)},
        ),
        (
            "tensor-train",
            {"ranks": 0.6, "task_rank": 0.4, "epsilon": 0.2, "apart": 0.25},
            {"*": ss.TensorTrain(epsilon=0.2)},
        ),
        ("tensor-ring", {"ranks": 5, "shared": 1, "cores": 4}, {"first": RING, "second": RING}),
        # 21, read as a number, is the pattern "21".
        ("tensor-ring", {"ranks": 5, "shared": 21, "cores": 4}, dict.fromkeys(LAYERS[:2], PATTERN)),
        (
            "tensor-ring",
            {"ranks": 5, "shared": "21", "cores": 4},
            dict.fromkeys(LAYERS[:2], PATTERN),
        ),
        (
            "trace-norm-laf",
            {"gamma": 0.5, "every": 3},
            {"*": ss.TraceNorm("laf", gamma=0.5, every=3)},
        ),
        (
            "trace-norm-tucker",
            {"gamma": 0.5, "every": 3},
            {"*": ss.TraceNorm("tucker", gamma=0.5, every=3)},
        ),
        (
            "trace-norm-tt",
            {"gamma": 0.5, "every": 3},
            {"*": ss.TraceNorm("tt", gamma=0.5, every=3)},
        ),
        (
            "tensor-normal-drn",
            {"layers": "last", **PRIOR},
            {"output": ss.TensorNormal(("task",), **PRIOR), "*": ss.Tied()},
        ),
        (
            "tensor-normal-mrn",
            {"layers": "last", **PRIOR},
            {"output": ss.TensorNormal(("in", "out", "task"), **PRIOR), "*": ss.Tied()},
        ),
        (
            "tied-first-layers",
            {"first": 0},
            {**dict.fromkeys(LAYERS, ss.Independent()), "*": ss.Tied()},
        ),
        (
            "tied-first-layers",
            {"first": 1},
            {**dict.fromkeys(LAYERS[1:], ss.Independent()), "*": ss.Tied()},
        ),
        ("pooled", {}, {"output": ss.Tied(bias="own"), "*": ss.Tied()}),
    ],
)
def test_options_become_the_sharing_of_every_layer(
    name: str, options: dict[str, Any], expected: dict[str, ss.Sharing]
) -> None:
    method = method_named(name)
    assert isinstance(method, NetworkMethod)
    assert method.sharing(LAYERS, options) == expected


def test_a_single_layer_is_a_ring_too() -> None:
    method = method_named("tensor-ring")
    assert isinstance(method, NetworkMethod)
    assert method.sharing(["output"], {"ranks": 5, "shared": 1, "cores": 4}) == {"*": RING}


def tasks_named(*names: Any) -> ss.TaskSet:
    data = {name: (np.zeros((4, 2)), np.arange(4) % 2) for name in names}
    return ss.TaskSet.from_arrays(data)


@pytest.mark.parametrize("name", ["tucker", "tensor-train"])
def test_weights_are_folded_into_a_whole_grid_alone(name: str) -> None:
    method = method_named(name)
    assert method.unsuitable(tasks_named("a", "b", "c")) is None
    whole = [(row, column) for row in "ab" for column in "xyz"]
    assert method.unsuitable(tasks_named(*whole)) is None
    told = method.unsuitable(tasks_named(*whole[:5]))
    assert told is not None
    assert "of the 6 combinations of the tasks' factors only 5 have a task" in told
