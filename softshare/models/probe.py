"""A few made inputs by which a loaded model shows that it still predicts what it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from softshare.tasks.columns import offsets_of
from softshare.tasks.task_set import TaskSet

TASKS, ROWS = 3, 2
SEED = 0
NEAR = {"rtol": 1e-3, "atol": 1e-4}
"""By how much other processors and libraries may differ."""


def probes(form: TaskSet) -> Iterator[TaskSet]:
    """Made examples of some tasks, those at even distances, one task at a time."""
    random = np.random.default_rng(SEED)
    numbers = np.linspace(0, len(form) - 1, min(TASKS, len(form))).round().astype(int)
    for number in numbers:
        inputs = random.normal(size=(ROWS, *form.input_shape(number))).astype(np.float32)
        yield replace(
            form.keep_tasks([number]),
            sources=(torch.from_numpy(inputs),),
            source_of=np.zeros(1, dtype=np.int64),
            offsets=offsets_of([ROWS]),
            rows=np.arange(ROWS),
            targets=np.zeros(ROWS),
            preprocessing=(),
            one_input=False,
        )


def check_said(before: np.ndarray, now: np.ndarray) -> None:
    """Make sure that a model says of the made inputs what it said when it was saved.

    Raises:
        ValueError: it does not.
    """
    if now.shape != before.shape or not np.allclose(now, before, **NEAR, equal_nan=True):
        raise ValueError("it predicts otherwise than when it was saved")
