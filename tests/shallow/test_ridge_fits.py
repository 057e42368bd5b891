"""Logistic regressions of one task: the minimum of a convex function, wherever one starts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from softshare.shallow.ridge_fits import INTERCEPT_PRECISION, Labels, logistic


def made(seed: int, n_rows: int = 40, n_inputs: int = 6) -> Labels:
    """Labels of which one in eight is positive."""
    numbers = np.random.default_rng(seed)
    inputs = numbers.normal(size=(n_rows, n_inputs))
    labels = (np.arange(n_rows) % 8 == 0).astype(float)
    inputs[labels > 0] += 1.0
    return Labels(inputs, labels[:, None], numbers.uniform(0.5, 2.0, size=n_rows))


@pytest.mark.parametrize("strength", [0.01, 0.3, 10.0])
@pytest.mark.parametrize("far", [0.0, 3.0, 30.0, -300.0])
def test_the_gradient_is_zero_wherever_newtons_method_starts(strength: float, far: float) -> None:
    """From where all rows are told for certain a whole step runs away, and others after it."""
    rows = made(seed=1)
    centre = np.array([-2.0])
    start = np.full((rows.inputs.shape[1] + 1, 1), far)
    found = logistic(rows, strength, centre, start)[:, 0]
    residual = rows.labels[:, 0] - expit(rows.inputs @ found[:-1] + found[-1])
    slopes = rows.inputs.T @ (rows.weights * residual) - strength * found[:-1]
    intercept = rows.weights @ residual - INTERCEPT_PRECISION * (found[-1] - centre[0])
    assert np.abs(slopes).max() < 1e-5
    assert abs(intercept) < 1e-5


def test_the_start_is_left_as_it_was() -> None:
    rows = made(seed=2)
    start = np.zeros((7, 1))
    logistic(rows, 1.0, np.zeros(1), start)
    assert not start.any()
