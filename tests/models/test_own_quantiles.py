"""Quantiles of tasks that differ in form, against the distributions written out."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.models.conformal import Intervals
from softshare.models.own_quantiles import OwnQuantiles
from softshare.models.sizes import Sizes


def test_a_quantile_is_that_of_own_and_common_rows_together() -> None:
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(12), [3, 30, 60] * 4)
    values = random.exponential(size=len(tasks)) ** (1 + tasks % 3)
    common = Sizes.of(values, np.ones(len(values)))
    own = OwnQuantiles.of(common, values, tasks, np.arange(len(tasks)), 13)
    assert own is not None
    found = own.quantiles(0.8)
    for task in range(13):
        mine = values[tasks == task]
        total = len(mine) + own.strength
        ranked = np.sort(values)
        at_or_below = np.searchsorted(np.sort(mine), ranked, side="right")
        share = at_or_below + own.strength * np.arange(1, len(ranked) + 1) / len(ranked)
        enough = share >= min(0.8 * (1 + 1 / total), 1.0) * total - 1e-6
        assert found[task] == ranked[enough.argmax()]


def test_tasks_alike_in_form_have_one_quantile() -> None:
    tasks = np.repeat(np.arange(5), 20)
    values = np.tile(np.arange(20.0), 5)
    common = Sizes.of(values, np.ones(100))
    assert OwnQuantiles.of(common, values, tasks, np.arange(100), 5) is None


def test_tasks_of_one_scale_and_two_forms_are_held_alike() -> None:
    random = np.random.default_rng(1)
    tasks = np.repeat(np.arange(40), 100)
    # of the same mean size: always 1, or mostly 0.2 and now and then 5
    is_even = tasks % 2 == 0
    uneven = np.where(random.random(len(tasks)) < 1 / 6, 5.0, 0.2)
    residuals = np.where(is_even, 1.0, uneven) + 0.01 * random.random(len(tasks))
    intervals = Intervals.of(residuals, tasks, np.arange(len(tasks)), 40)
    half = intervals.half_widths(np.array([0, 1]), 0.9)
    assert half[0] < 1.5
    assert half[1] == pytest.approx(5, abs=0.3)
