"""Logistic regressions of all tasks with shrunk offsets: the minimum of a convex function."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import load_digits

from softshare.shallow.pooled_fits import fit_classes, with_intercept
from softshare.shallow.rows import Rows, checked_rows


def three_digits(n_images: int, seed: int) -> Rows:
    """Of some images, whether each is a nought, a one, a two."""
    images, digits = load_digits(return_X_y=True)
    drawn = np.random.default_rng(seed).permutation(len(images))[:n_images]
    inputs = images[drawn] - images[drawn].mean(axis=0)
    inputs /= np.maximum(inputs.std(axis=0), 1e-9)
    labels = [digits[drawn] == digit for digit in range(3)]
    tasks = np.repeat(np.arange(3), len(drawn))
    targets = np.concatenate(labels).astype(float)
    return checked_rows(
        np.tile(inputs, (3, 1)), targets, tasks, None, kind="binary", n_classes=None, weights=None
    )


@pytest.mark.parametrize(("n_images", "seed"), [(30, 11), (108, 3)])
@pytest.mark.parametrize(("strength", "variance"), [(1.0, 0.1), (10.0, 3.0)])
def test_the_gradient_is_zero(n_images: int, seed: int, strength: float, variance: float) -> None:
    """Whole steps of Newton's method went to and fro by thirty log-odds on some of these."""
    rows = three_digits(n_images, seed)
    rows = rows.with_inputs(with_intercept(rows.inputs))
    (fit,) = fit_classes(rows, strength, variance)
    residual = rows.targets - expit(fit.outputs(rows.inputs, rows.tasks))
    slopes = rows.inputs.T @ residual
    slopes[:-1] -= strength * fit.fixed[:-1]
    offsets = np.bincount(rows.tasks, residual) - fit.offsets / variance
    assert np.abs(slopes).max() < 1e-5
    assert np.abs(offsets).max() < 1e-5
