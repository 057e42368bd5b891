"""Run records with the values that a test needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from softshare.evaluation.records.schema import FORMAT

SIZES = {"kind": "binary", "n_outputs": 1, "n_train": 100, "n_validation": 0, "n_test": 100}


def record(
    method: str,
    seed: int,
    values: Mapping[str, float | None],
    *,
    fraction: float = 1.0,
    **other: Any,
) -> dict[str, Any]:
    """A record whose tasks have these values on the test part; ``metric`` names their metric, or
    that of each.
    """
    metric = other.pop("metric", "roc_auc")
    metrics = metric if isinstance(metric, Mapping) else dict.fromkeys(values, metric)
    validation = other.pop("validation", {})
    error = other.pop("error", None)
    return {
        "format": FORMAT,
        "key": f"{method}-f{fraction:g}-s{seed}",
        "settings": {
            "source": "made",
            "method": method,
            "fraction": fraction,
            "seed": seed,
            "trials": 0,
            "steps": 10,
            "learning_rate": None,
        },
        "data": {
            "fingerprint": "abc",
            "division": "def",
            "tasks": [{"name": task, "metric": name, **SIZES} for task, name in metrics.items()],
            "notes": [],
        },
        "metrics": {}
        if error
        else {
            "test": {task: {metrics[task]: value} for task, value in values.items()},
            "validation": validation,
        },
        "set_metrics": {},
        "sharing": {"layers": {}, "similarity": None, "warnings": []},
        "split": f"{seed:032x}",
        "versions": {"softshare": "0.1.0"},
        "parameters": None if error else 100,
        "seconds": 2.0,
        "curve": [],
        "error": error,
        **other,
    }


def runs(
    gains, *, seeds=5, scatter=0.001, metric="roc_auc", sign=1, fraction=1.0, tasks=("a", "b")
):
    """Records of methods with these mean gains and a little scatter, the same for every task."""
    offsets = scatter * np.linspace(-1, 1, seeds)
    rows = [
        record("independent", seed, dict.fromkeys(tasks, 0.6), metric=metric, fraction=fraction)
        for seed in range(seeds)
    ]
    for method, gain in gains.items():
        rows += [
            record(
                method,
                seed,
                dict.fromkeys(tasks, 0.6 + sign * (gain + offset)),
                metric=metric,
                fraction=fraction,
            )
            for seed, offset in enumerate(offsets)
        ]
    return rows
