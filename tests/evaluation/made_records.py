"""Run records with the values that a test needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
        "format": 1,
        "key": f"{method}-f{fraction:g}-s{seed}",
        "settings": {
            "method": method,
            "fraction": fraction,
            "seed": seed,
            "trials": 0,
            "steps": 10,
            "learning_rate": None,
        },
        "data": {
            "fingerprint": "abc",
            "tasks": [{"name": task, "metric": name} for task, name in metrics.items()],
            "notes": [],
        },
        "metrics": {}
        if error
        else {
            "test": {task: {metrics[task]: value} for task, value in values.items()},
            "validation": validation,
        },
        "parameters": None if error else 100,
        "seconds": 2.0,
        "error": error,
        **other,
    }
