"""A few made inputs by which a loaded model shows that it still predicts what it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from softshare.methods.method import Learned
from softshare.tasks.columns import offsets_of
from softshare.tasks.task_set import TaskSet

TASKS, ROWS = 3, 2
SEED = 0
NEAR = {"rtol": 1e-3, "atol": 1e-4}
"""By how much other processors and libraries may differ."""


def probed(learned: Learned, form: TaskSet) -> np.ndarray:
    """What is said of made inputs of some tasks, those at even distances, ``(N,)``."""
    random = np.random.default_rng(SEED)
    numbers = np.linspace(0, len(form) - 1, min(TASKS, len(form))).round().astype(int)
    told = []
    for number in numbers:
        inputs = random.normal(size=(ROWS, *form.input_shape(number))).astype(np.float32)
        examples = replace(
            form.keep_tasks([number]),
            sources=(torch.from_numpy(inputs),),
            source_of=np.zeros(1, dtype=np.int64),
            offsets=offsets_of([ROWS]),
            rows=np.arange(ROWS),
            targets=np.zeros(ROWS),
            preprocessing=(),
            one_input=False,
        )
        told.append(learned.predict(examples)[0].ravel())
    return np.concatenate(told).astype(np.float64)


def check_probe(learned: Learned, form: TaskSet, before: np.ndarray) -> None:
    """Make sure that a model says of the made inputs what it said when it was saved.

    Raises:
        ValueError: it does not.
    """
    now = probed(learned, form)
    if now.shape != before.shape or not np.allclose(now, before, **NEAR, equal_nan=True):
        raise ValueError("it predicts otherwise than when it was saved")
