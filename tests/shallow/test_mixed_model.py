"""The mixed model against statsmodels, dense likelihoods and numerical derivatives."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from statsmodels.regression.mixed_linear_model import MixedLM

from softshare.shallow.mixed_model import MixedModel, _without_groups
from softshare.shallow.variance_components import CompressedTasks, solve


def made(n_tasks: int = 30, n_rows: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs of mean 0 and deviation 1, targets with random intercepts and slopes, tasks."""
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(n_tasks), n_rows)
    inputs = generator.normal(size=(n_tasks * n_rows, 2))
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    slopes = generator.normal(size=(n_tasks, 2)) * (0.6, 0.9)
    own = (inputs * slopes[tasks]).sum(axis=1) + generator.normal(size=n_tasks)[tasks]
    targets = 1 + inputs @ (1.0, -2.0) + own + 0.7 * generator.normal(size=len(tasks))
    return inputs, targets, tasks


@pytest.mark.parametrize(
    ("slopes", "components"),
    [
        ("none", {}),
        ("common", {"s": "0 + a + b"}),
        ("each", {"a": "0 + a", "b": "0 + b"}),
    ],
)
def test_variance_components_are_those_of_statsmodels(
    slopes: str, components: dict[str, str]
) -> None:
    inputs, targets, tasks = made()
    frame = pd.DataFrame({"y": targets, "a": inputs[:, 0], "b": inputs[:, 1], "g": tasks})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its optimiser's steps
        other = MixedLM.from_formula(
            "y ~ a + b", frame, groups="g", re_formula="1", vc_formula=components or None
        ).fit(reml=True, gtol=1e-8)
    model = MixedModel(slopes=slopes, fixed_penalty=0).fit(inputs, targets, tasks)
    (ours,) = model.variance_components_
    assert other.converged
    np.testing.assert_allclose(ours["noise"], other.scale, rtol=1e-4)
    np.testing.assert_allclose(ours["intercept"], other.cov_re.iloc[0, 0], rtol=1e-4)
    if slopes != "none":
        wanted = np.broadcast_to(other.vcomp, 2)
        np.testing.assert_allclose(ours["slopes"], wanted, rtol=1e-4)
    fixed = model.fixed_effects_[0][[2, 0, 1]]
    np.testing.assert_allclose(fixed, other.fe_params, rtol=1e-4)
    effects = np.stack([other.random_effects[task].to_numpy() for task in range(30)])
    own = model.task_effects_[:, 0][:, [2, 0, 1]][:, : effects.shape[1]]
    np.testing.assert_allclose(own, effects, atol=1e-3)


def dense_criterion(
    design: np.ndarray, targets: np.ndarray, V: np.ndarray, penalised: np.ndarray, penalty: float
) -> float:
    """Minus twice the restricted log-likelihood with σ² profiled out, by whole matrices."""
    V = V + design @ np.diag(penalised / penalty) @ design.T
    free = design[:, penalised == 0]
    inverse = np.linalg.inv(V)
    A = free.T @ inverse @ free
    P = inverse - inverse @ free @ np.linalg.solve(A, free.T @ inverse)
    n_free = len(targets) - free.shape[1]
    sigma2 = targets @ P @ targets / n_free
    return float(n_free * np.log(sigma2) + np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1])


def test_criterion_is_the_restricted_likelihood_and_its_gradient_is_right() -> None:
    inputs, targets, tasks = made(6, 5)
    tasks[:3] = 5  # unequal tasks: one with fewer rows than columns
    design = np.column_stack([inputs, np.ones(30)])
    members = np.array([[0, 0, 1.0], [1, 1, 0]])
    penalised = np.array([1.0, 1, 0])
    small = CompressedTasks.of(design, targets, tasks, 6)

    def at(logarithms: np.ndarray) -> float:
        values = np.exp(logarithms)
        return solve(small, values[:2], members, values[2], penalised).criterion

    def dense(logarithms: np.ndarray) -> float:
        values = np.exp(logarithms)
        same = tasks[:, None] == tasks
        random = design @ np.diag(values[:2] @ members) @ design.T
        return dense_criterion(design, targets, np.eye(30) + same * random, penalised, values[2])

    point, other = np.log([0.5, 0.2, 3.0]), np.log([2.0, 0.01, 0.3])
    np.testing.assert_allclose(at(point) - at(other), dense(point) - dense(other), rtol=1e-6)
    wanted = optimize.approx_fprime(point, at, 1e-6)
    got = solve(small, np.exp(point[:2]), members, 3.0, penalised).gradient
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_rows_of_a_pair_lose_their_likeness() -> None:
    pairs = np.array([0, 0, 0, 1, 1, 2])
    root, _ = _without_groups(np.eye(6), np.zeros(6), pairs, 0.7)
    V = np.eye(6) + 0.7 * (pairs[:, None] == pairs)
    np.testing.assert_allclose(root @ V @ root.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("grouped", [False, True])
def test_hard_rows_never_stop_it(kind: str, grouped: bool) -> None:
    """Equal inputs twice, a constant one, more inputs than rows, tasks of one row, one class."""
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(24, 30))
    inputs = np.column_stack([inputs, inputs[:, 0], np.ones(24)])
    tasks = np.r_[np.zeros(12), np.ones(6), np.arange(2, 8)]
    targets = generator.normal(size=24) if kind == "regression" else (tasks > 0) * 1.0
    groups = np.arange(24) // 2 if grouped else None
    model = MixedModel(kind).fit(inputs, targets, tasks, groups)
    outputs = model.predict(inputs, tasks)
    assert np.isfinite(outputs).all()
    assert outputs.shape == ((24, 2) if kind == "multiclass" else (24,))


def test_labels_find_the_slopes_that_tasks_share_and_those_they_do_not() -> None:
    generator = np.random.default_rng(2)
    tasks = np.repeat(np.arange(40), 40)
    inputs = generator.normal(size=(1600, 2))
    own = inputs[:, 0] * 1.5 * generator.normal(size=40)[tasks]
    odds = 2 * inputs[:, 1] + own
    labels = generator.random(1600) < 1 / (1 + np.exp(-odds))
    model = MixedModel("binary", slopes="each").fit(inputs, labels, tasks)
    (variances,) = model.variance_components_
    assert 1 < variances["slopes"][0] < 3.5
    assert variances["slopes"][1] < 0.3
    assert variances["intercept"] < 0.2
    np.testing.assert_allclose(model.fixed_effects_[0, 1], 2, atol=0.4)


def test_unknown_slopes_are_refused() -> None:
    with pytest.raises(ValueError, match="slopes must be none, common or each"):
        MixedModel(slopes="some").fit(np.ones((2, 1)), [0, 1], [0, 1])
