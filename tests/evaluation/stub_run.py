"""A run that trains nothing, for tests of what surrounds a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from softshare.tasks.metrics import primary_metric

EFFECT = {"independent": 0.0, "tied": 0.05}


def run(tasks, settings, split, method=None) -> dict[str, Any]:
    """Values that depend on the settings and the split alone; learning rates near 0.001 do best."""
    random = np.random.default_rng([settings.seed, len(settings.method)])
    rate = settings.learning_rate or 2e-3
    value = (
        0.7
        + EFFECT.get(settings.method, 0.02)
        - 0.1 * abs(np.log10(rate / 1e-3))
        + 0.001 * random.normal()
    )
    sizes = {f"n_{part}": 20 for part in ("train", "validation", "test")}
    rows = [
        {
            "name": task.label,
            "kind": task.kind,
            "n_outputs": task.n_outputs,
            "metric": primary_metric(task, settings.metric),
            **sizes,
        }
        for task in tasks.tasks
    ]
    metrics = {row["name"]: {row["metric"]: value, "loss": 1 - value} for row in rows}
    return {
        "settings": settings.as_json(),
        "data": {
            "fingerprint": tasks.fingerprint(),
            "tasks": rows,
            "notes": ["a note on the data"],
        },
        "parameters": len(split.train),
        "metrics": {"test": metrics, "validation": metrics},
        "set_metrics": {"test": {}, "validation": {}},
        "curve": [{"step": 0, "train_loss": 0.7, "validation_loss": None}],
        "seconds": 0.5,
        "sharing": {"layers": {}, "similarity": None, "warnings": []},
        "versions": {"softshare": "0", "torch": "0", "numpy": "0", "python": "0"},
        "error": None,
    }
