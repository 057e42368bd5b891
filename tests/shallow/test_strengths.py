"""Strengths in units of the data."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow.losses import SquaredLoss
from softshare.shallow.strengths import TUNABLE, Pull
from softshare.shallow.task_rows import rows_in_long_form


@pytest.mark.parametrize("name", ["trace-norm", "l21", "rmtl"])
def test_from_one_on_a_penalty_leaves_nothing_and_below_something(name: str) -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(60, 4))
    targets = 100 * inputs[:, 0] + random.normal(size=60)
    tasks = np.arange(60) % 3
    rows = rows_in_long_form(inputs, targets, tasks.tolist())
    zero = SquaredLoss.of(rows, intercept=False).at(np.zeros((3, 4)))
    pull = Pull(zero.gradient, 60)
    tunable = TUNABLE[name]
    for share, is_used in ((1.0, False), (0.9, True)):
        point = (share,) * len(tunable.grids)
        model = tunable.make(fit_intercept=False)
        model.set_params(**tunable.setting(pull, point))
        model.fit(inputs, targets, tasks=tasks)
        assert bool(np.abs(model.coef_).max() > 1e-6) is is_used


def test_every_search_starts_on_its_grids() -> None:
    for tunable in TUNABLE.values():
        pairs = zip(tunable.start, tunable.grids, strict=True)
        assert all(value in grid for value, grid in pairs)
