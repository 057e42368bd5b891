"""The Gaussian process: its likelihood by scipy, its slope numerically, and what it predicts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from softshare.shallow import gaussian_process
from softshare.shallow.gaussian_process import GaussianProcess
from softshare.shallow.rows import checked_rows
from softshare.shallow.task_kernel import Kernel, negative_log_likelihood


def made(n_rows: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(n_rows, 2))
    tasks = generator.integers(3, size=n_rows)
    groups = generator.integers(8, size=n_rows)
    targets = np.sin(2 * inputs[:, 0]) + tasks + 0.1 * generator.normal(size=n_rows)
    return inputs, targets, tasks, groups


def plain_covariance(
    logarithms: np.ndarray,
    inputs: np.ndarray,
    tasks: np.ndarray,
    groups: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """The kernel's formula, entry by entry."""
    weights = np.ones(len(inputs)) if weights is None else weights
    a, lengths = np.exp(logarithms[:7]), np.exp(logarithms[7:])
    matrix = np.empty((len(inputs), len(inputs)))
    for i, x in enumerate(inputs):
        for j, z in enumerate(inputs):
            near = np.exp(-0.5 * (((x - z) / lengths) ** 2).sum())
            product = (x * z).mean()
            matrix[i, j] = a[0] * near + a[1] * product
            if tasks[i] == tasks[j]:
                matrix[i, j] += a[2] * near + a[3] * product + a[4]
            matrix[i, j] += a[5] * (groups[i] == groups[j]) + a[6] * (i == j) / weights[i]
    return matrix


@pytest.mark.parametrize("n_lengths", [1, 2])
def test_likelihood_is_the_normal_density_s_and_its_slope_is_right(n_lengths: int) -> None:
    inputs, targets, tasks, groups = made()
    weights = np.random.default_rng(2).uniform(0.5, 3, 24)
    rows = checked_rows(inputs, targets, tasks, groups, kind="regression", weights=weights)
    point = np.random.default_rng(1).normal(size=7 + n_lengths)
    values = targets[:, None]
    loss, slope = negative_log_likelihood(point, rows, values)
    matrix = plain_covariance(point, inputs, tasks, groups, weights)
    density = stats.multivariate_normal(np.zeros(24), matrix).logpdf(targets)
    np.testing.assert_allclose(loss, -density - 12 * np.log(2 * np.pi))
    wanted = optimize.approx_fprime(
        point, lambda at: negative_log_likelihood(at, rows, values)[0], 1e-6
    )
    np.testing.assert_allclose(slope, wanted, atol=1e-4)


def test_the_likelihood_stands_where_one_length_is_as_short_as_the_search_may_make_it() -> None:
    inputs, targets, tasks, groups = made(60)
    inputs[:, 0] = 0.1 + np.arange(60) % 3  # many rows lie apart by the other input alone
    rows = checked_rows(inputs, targets, tasks, groups, kind="regression")
    point = np.array([5, 5, 5, 5, 5, -3, np.log(1e-4), -12, 1])
    loss, _ = negative_log_likelihood(point, rows, targets[:, None])
    matrix = plain_covariance(point, inputs, tasks, groups)
    density = stats.multivariate_normal(np.zeros(60), matrix).logpdf(targets)
    np.testing.assert_allclose(loss, -density - 30 * np.log(2 * np.pi), rtol=1e-6)


def test_predictions_are_the_conditional_mean() -> None:
    inputs, targets, tasks, _ = made()
    model = GaussianProcess().fit(inputs, targets, tasks)
    kernel = model.kernel_
    logarithms = np.log(np.append(kernel.amplitudes, kernel.lengths))
    logarithms[5] = -50  # there were no groups
    both = model.scaling_(np.vstack([inputs, inputs[:5] + 0.1]))
    every_task = np.append(tasks, tasks[:5])
    matrix = plain_covariance(logarithms, both, every_task, np.arange(29))
    centred = targets - targets.mean()
    own = matrix[24:, :24] @ np.linalg.solve(matrix[:24, :24], centred)
    predicted = model.predict(inputs[:5] + 0.1, tasks[:5])
    np.testing.assert_allclose(predicted, targets.mean() + own, atol=1e-6)


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_a_row_of_weight_3_tells_what_three_equal_rows_do(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, targets, tasks, _ = made()
    if kind == "binary":
        targets = 1.0 * (targets > 1)
    kernel = Kernel.of(np.log([0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.5, 1.0]), 2)
    monkeypatch.setattr(GaussianProcess, "_chosen_kernel", lambda *given: kernel)
    monkeypatch.setattr(gaussian_process, "best_temper", lambda *given: 2.0)
    weights = np.random.default_rng(0).integers(1, 4, 24)
    weighted = GaussianProcess(kind).fit(inputs, targets, tasks, weights=weights)
    again = [np.repeat(each, weights, axis=0) for each in (inputs, targets, tasks)]
    many = GaussianProcess(kind).fit(*again)
    np.testing.assert_allclose(weighted.predict(inputs, tasks), many.predict(inputs, tasks))


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_it_learns_a_curve_that_tasks_share(kind: str) -> None:
    inputs, targets, tasks, groups = made(200)
    if kind == "binary":
        targets = 1.0 * (targets > 1)
    if kind == "multiclass":
        targets = np.digitize(targets, (0.5, 1.5)).astype(float)
    train = np.arange(200) < 140
    model = GaussianProcess(kind).fit(inputs[train], targets[train], tasks[train], groups[train])
    outputs = model.predict(inputs[~train], tasks[~train])
    wanted = targets[~train]
    if kind == "regression":
        assert np.mean((outputs - wanted) ** 2) < 0.1 * wanted.var()
    elif kind == "binary":
        assert np.mean((outputs > 0) == wanted) > 0.85
    else:
        assert np.mean(outputs.argmax(axis=1) == wanted) > 0.8
    unseen = model.predict(inputs[~train], np.full(60, 99))
    assert np.isfinite(unseen).all()


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaussian_process, "MOST_ROWS", 10)
    with pytest.raises(ValueError, match="takes up to 10 rows, not 24"):
        GaussianProcess().fit(*made()[:3])


def test_one_length_serves_all_inputs() -> None:
    kernel = Kernel.of(np.zeros(8), 5)
    np.testing.assert_array_equal(kernel.lengths, np.ones(5))
