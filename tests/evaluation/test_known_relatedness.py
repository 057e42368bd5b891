"""Made tasks of known relatedness: sharing helps where there is something to share, and the report
says so where there is not.
"""

from __future__ import annotations

import numpy as np

from softshare.evaluation.compare import compare
from softshare.tasks.task_set import TaskSet


def made_tasks(own: float, *, rows: int, n_tasks: int = 10, n_features: int = 12) -> TaskSet:
    """Linear tasks: ``w_t = √(1 − own) · common + √own · own_t``."""
    generator = np.random.default_rng(0)
    common = generator.normal(size=n_features)
    data = {}
    for number in range(n_tasks):
        weights = np.sqrt(1 - own) * common + np.sqrt(own) * generator.normal(size=n_features)
        inputs = generator.normal(size=(rows, n_features)).astype(np.float32)
        data[f"task {number}"] = (
            inputs,
            inputs @ weights / np.sqrt(n_features) + 0.3 * generator.normal(size=rows),
        )
    return TaskSet.from_arrays(data, kinds="regression")


def overall_gains(
    own: float, sharings: tuple[str, ...]
) -> tuple[dict[str, tuple[float, float, float]], str]:
    comparison = compare(
        made_tasks(own, rows=30),
        methods=["independent", *sharings],
        seeds=5,
        steps=50,
        hidden=(16,),
        workers=0,
    )
    rows = comparison.summary[
        (comparison.summary["task"] == "ALL") & (comparison.summary["method"] != "independent")
    ]
    gains = {
        row["method"]: (row["ci_low"], row["gain"], row["ci_high"]) for _, row in rows.iterrows()
    }
    return gains, comparison.answer


def test_every_sharing_beats_learning_apart_where_tasks_are_related() -> None:
    sharings = ("pooled", "tucker", "tensor-train")
    gains, answer = overall_gains(0.05, sharings)
    assert set(gains) == set(sharings)
    assert {method: low for method, (low, _, _) in gains.items() if low <= 0} == {}
    assert answer.startswith("Learning together beats learning apart by")


def test_no_sharing_is_said_to_help_where_tasks_are_unrelated() -> None:
    gains, answer = overall_gains(1.0, ("pooled", "tied", "last-axis-flattening"))
    assert {method: low for method, (low, _, _) in gains.items() if low > 0} == {}
    assert answer.startswith(("No difference shown", "Sharing hurts"))
