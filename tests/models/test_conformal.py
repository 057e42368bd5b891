"""Intervals hold as many new rows as promised, in every task, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from softshare.models import sizes
from softshare.models.conformal import Intervals
from softshare.models.sizes import Sizes

LEVEL = 0.9


def fitted(residuals: np.ndarray, tasks: np.ndarray, **others: np.ndarray) -> Intervals:
    units = others.pop("units", np.arange(len(tasks)))
    return Intervals.of(residuals, tasks, units, int(tasks.max()) + 1, **others)


def test_one_task_has_the_quantile_of_split_conformal_prediction() -> None:
    random = np.random.default_rng(0)
    residuals = random.normal(size=39)
    intervals = fitted(residuals, np.zeros(39, dtype=np.int64))
    # all in one scale: of 39 sizes the ⌈40 × 0.9⌉th
    expected = np.sort(np.abs(residuals))[36 - 1]
    assert intervals.half_widths(np.array([0]), LEVEL) == pytest.approx(expected)


def test_every_task_of_unequal_noise_is_held_as_often() -> None:
    random = np.random.default_rng(1)
    rows = np.repeat([4, 8, 20, 60], 25)
    noise = np.exp(random.normal(0, 0.6, len(rows)))
    tasks = np.repeat(np.arange(len(rows)), rows)
    held = []
    one_width = []
    for _ in range(20):
        residuals = random.normal(size=len(tasks)) * noise[tasks]
        half = fitted(residuals, tasks).half_widths(np.arange(len(rows)), LEVEL)
        # the truth: how often a new row of each task lies within
        held.append(2 * norm.cdf(half / noise) - 1)
        width = np.quantile(np.abs(residuals), LEVEL)
        one_width.append(2 * norm.cdf(width / noise) - 1)
    of_task = np.mean(held, axis=0)
    assert of_task.mean() == pytest.approx(LEVEL, abs=0.01)
    assert np.abs(of_task[rows == 60] - LEVEL).mean() < 0.02
    few = of_task[rows == 4]
    assert few.mean() == pytest.approx(LEVEL, abs=0.02)
    assert few.std() < np.mean(one_width, axis=0)[rows == 4].std()


def test_groups_whose_rows_are_alike_count_as_one() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(60), 10)
    tasks = groups // 6
    residuals = random.normal(size=60)[groups]
    intervals = fitted(residuals, tasks, units=groups)
    single = fitted(residuals, tasks)
    assert intervals.n_units == 60
    # ten equal rows are no ten draws: scales that differ by chance are not taken for the tasks' own
    assert np.std(intervals.scales) < np.std(single.scales)
    assert intervals.half_widths(np.array([0]), 0.95) >= np.quantile(np.abs(residuals), 0.95)


def test_few_rows_show_no_more_than_they_can() -> None:
    residuals = np.array([1.0, -2.0, 3.0, -1.5])
    tasks = np.zeros(4, dtype=np.int64)
    intervals = fitted(residuals, tasks)
    widest = intervals.half_widths(np.zeros(1, dtype=np.int64), 0.8)[0]
    assert widest == pytest.approx(3.0)
    assert np.isfinite(intervals.half_widths(np.zeros(1, dtype=np.int64), 0.99)[0])
    assert intervals.half_widths(np.zeros(1, dtype=np.int64), 0.99)[0] > widest


@pytest.mark.parametrize("n_tasks", [3, 30])
def test_a_new_task_is_held_as_often(n_tasks: int) -> None:
    random = np.random.default_rng(3)
    held, wider = [], []
    for _ in range(100):
        tasks = np.repeat(np.arange(n_tasks), 10)
        effects = random.normal(size=n_tasks)
        noise = 0.5 * random.normal(size=len(tasks))
        # the common part is learned from these tasks: it is their mean
        as_new = effects[tasks] - effects.mean() + noise
        intervals = fitted(noise, tasks, as_new=as_new)
        half = intervals.half_widths(np.array([-1]), LEVEL)[0]
        off = effects.mean() * np.array([1, -1])
        inside = norm.cdf((half + off) / np.sqrt(1.25)).sum() - 1
        held.append(inside)
        wider.append(half > intervals.half_widths(np.array([0]), LEVEL)[0])
    assert np.mean(wider) > 0.9
    assert np.mean(held) == pytest.approx(LEVEL, abs=0.04 if n_tasks < 5 else 0.02)


def test_nothing_is_promised_of_a_new_task_by_one_task() -> None:
    residuals = np.arange(20.0)
    tasks = np.zeros(20, dtype=np.int64)
    intervals = fitted(residuals, tasks, as_new=residuals)
    assert np.isinf(intervals.half_widths(np.array([-1]), LEVEL)[0])


def test_what_is_never_off_has_no_width() -> None:
    tasks = np.repeat([0, 1], 10)
    assert fitted(np.zeros(20), tasks).half_widths(np.array([0, 1]), LEVEL).tolist() == [0, 0]


def test_many_sizes_are_thinned_without_moving_a_quantile(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).exponential(size=5000)
    whole = Sizes.of(values, np.ones(5000))
    monkeypatch.setattr(sizes, "MOST_VALUES", 500)
    few = Sizes.of(values, np.ones(5000))
    assert len(few.values) == 500
    for level in (0.5, 0.9, 0.99):
        assert few.quantile(level) == whole.quantile(level)
