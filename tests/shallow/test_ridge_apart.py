"""Ridge apart: each task against scikit-learn's own fit, and one strength for all."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from softshare.shallow.ridge_apart import RidgeApart
from softshare.shallow.ridge_fits import INTERCEPT_PRECISION, Labels, fits_of, logistic
from softshare.shallow.rows import Kind, checked_rows


def made(n_rows: int = 8, n_tasks: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(n_tasks), n_rows)
    inputs = generator.normal(size=(len(tasks), 4))
    targets = inputs @ (1.0, 0, 0, 0) + generator.normal(size=len(tasks)) + tasks
    return inputs, targets, tasks


@pytest.mark.parametrize("strength", ["common", "own"])
def test_each_task_is_a_ridge_of_its_own_rows(strength: str) -> None:
    inputs, targets, tasks = made()
    model = RidgeApart(strength=strength).fit(inputs, targets, tasks)
    scaled = model.scaling_(inputs)
    for task in (0, 7):
        mine = tasks == task
        wanted = Ridge(model.strengths_[task]).fit(scaled[mine], targets[mine])
        np.testing.assert_allclose(
            model.predict(inputs[mine], tasks[mine]), wanted.predict(scaled[mine])
        )


def test_one_strength_is_chosen_better_than_one_a_task_by_few_rows() -> None:
    inputs, targets, tasks = made(16)
    train = np.arange(len(tasks)) % 2 == 0
    errors = {}
    for strength in ("common", "own"):
        model = RidgeApart(strength=strength).fit(inputs[train], targets[train], tasks[train])
        outputs = model.predict(inputs[~train], tasks[~train])
        errors[strength] = np.mean((outputs - targets[~train]) ** 2)
    assert errors["common"] < errors["own"]


def test_newton_s_method_ends_where_the_slope_is_zero() -> None:
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(20, 3))
    labels = np.eye(2)[generator.integers(2, size=20)]
    centre = np.array([0.3, -0.3])
    start = np.vstack([np.zeros((3, 2)), centre])
    found = logistic(Labels(inputs, labels, np.ones(20)), 0.7, centre, start)
    beta, intercept = found[:-1], found[-1]
    error = labels - 1 / (1 + np.exp(-(inputs @ beta + intercept)))
    np.testing.assert_allclose(inputs.T @ error, 0.7 * beta, atol=1e-6)
    wanted = INTERCEPT_PRECISION * (intercept - centre)
    np.testing.assert_allclose(error.sum(axis=0), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_many_strengths_give_each_what_it_gives_alone(kind: Kind) -> None:
    generator = np.random.default_rng(2)
    inputs, tasks = generator.normal(size=(60, 4)), np.zeros(60)
    targets = (inputs[:, 0] > generator.normal(size=60)) + (inputs[:, 1] > 0.5)
    targets = targets.clip(0, 1) if kind == "binary" else targets
    rows = checked_rows(inputs, targets, tasks, None, kind=kind, n_classes=3)
    strengths = (0.1, 30.0, 1.0)
    for strength, fit in zip(strengths, fits_of(rows, strengths), strict=True):
        np.testing.assert_allclose(fit, fits_of(rows, (strength,))[0], atol=1e-8)


def test_a_rare_class_that_can_be_told_apart_does_not_run_away() -> None:
    """From the rate of a rare class alone Newton's first step is so long that it never returns."""
    skewed = np.exp(np.random.default_rng(0).normal(size=(330, 1)))
    inputs = (skewed - skewed.mean()) / skewed.std()
    targets = (inputs[:, 0] >= np.sort(inputs[:, 0])[-9]).astype(float)
    rows = checked_rows(inputs, targets, np.zeros(330), None, kind="binary", n_classes=None)
    strengths = (0.1, 0.3, 1.0, 3.0, 10.0)
    for strength, fit in zip(strengths, fits_of(rows, strengths), strict=True):
        error = targets - 1 / (1 + np.exp(-(inputs @ fit[:-1] + fit[-1])[:, 0]))
        np.testing.assert_allclose(inputs[:, 0] @ error, strength * fit[0, 0], atol=1e-5)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_tasks_of_one_row_or_one_class_get_finite_outputs(kind: str) -> None:
    inputs, _, _ = made(4, 3)
    tasks = np.array(["a"] * 5 + ["b"] * 6 + ["c"])
    targets = np.array([0.0] * 5 + [0, 1, 0, 1, 1, 0] + [1])
    model = RidgeApart(kind).fit(inputs, targets, tasks)
    outputs = model.predict(inputs, ["never"] * 12)
    assert outputs.shape == ((12, 2) if kind == "multiclass" else (12,))
    assert np.ptp(outputs, axis=0).max() < 1e-12
    assert np.isfinite(model.predict(inputs, tasks)).all()


def test_unknown_strength_is_refused() -> None:
    with pytest.raises(ValueError, match="strength must be common or own"):
        RidgeApart(strength="both").fit(*made())
