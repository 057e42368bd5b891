"""Effects of a mixed model on labels: the minimum of a convex function."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from softshare.shallow.logistic_effects import Effects, LogisticEffects, first_outputs
from softshare.shallow.mixed_fits import Strengths, solved
from softshare.shallow.rows import Rows, checked_rows


def rare(seed: int, n_tasks: int = 3) -> Rows:
    """Of every task one row in ten is positive, and lies apart. The last input is one."""
    numbers = np.random.default_rng(seed)
    tasks = np.repeat(np.arange(n_tasks), 30)
    labels = (np.arange(len(tasks)) % 10 == 0).astype(float)
    inputs = numbers.normal(size=(len(tasks), 12))
    inputs[:, :4] += 2 * labels[:, None]
    inputs[:, -1] = 1.0
    return checked_rows(inputs, labels, tasks, None, kind="binary", n_classes=None, weights=None)


@pytest.mark.parametrize("ratios", [(0.1, 0.05), (3.0, 1.0), (0.5, 0.0)])
@pytest.mark.parametrize("penalty", [0.3, 10.0])
def test_the_gradient_is_zero(ratios: tuple[float, float], penalty: float) -> None:
    rows = rare(seed=0)
    n_columns = rows.inputs.shape[1]
    intercept = np.eye(n_columns)[-1]
    members = np.vstack([intercept, 1 - intercept])
    fit = solved(rows, rows.targets, members, Strengths(np.array(ratios), penalty))
    effects = Effects(fit.fixed, fit.effects)
    residual = rows.targets - expit(effects.outputs(rows))
    slopes = rows.inputs.T @ residual
    slopes[:-1] -= penalty * fit.fixed[:-1]
    assert np.abs(slopes).max() < 1e-5
    for task in range(rows.n_tasks):
        mine = rows.tasks == task
        own = rows.inputs[mine].T @ residual[mine]
        of_columns = np.array(ratios) @ members
        left = of_columns * own - fit.effects[task]
        assert np.abs(left).max() < 1e-5


def test_the_start_is_the_rate_alone() -> None:
    rows = rare(seed=1)
    start = LogisticEffects(rows, rows.targets, np.ones(12), np.ones(12)).start()
    assert start.outputs(rows) == pytest.approx(first_outputs(rows, rows.targets))
