"""Linear multi-task methods with strengths chosen by rows held out."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.shallow import tuned_linear
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.strengths import TUNABLE
from softshare.shallow.tuned_linear import TunedLinear

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def deviating(n_rows: int = 12, n_tasks: int = 12, n_inputs: int = 6) -> Rows:
    """A common line, and each task's deviation along one direction."""
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(n_tasks), n_rows)
    inputs = random.normal(size=(len(tasks), n_inputs))
    direction = random.normal(size=n_inputs)
    weights = np.linspace(-1, 1, n_inputs) + random.normal(size=(n_tasks, 1)) * direction
    targets = (inputs * weights[tasks]).sum(axis=1) + random.normal(size=len(tasks))
    return inputs, 3 * targets + 50, tasks


@pytest.mark.parametrize("method", list(TUNABLE))
def test_deviations_are_learned_that_a_common_line_misses(method: str) -> None:
    inputs, targets, tasks = deviating(40)
    trains = np.arange(len(tasks)) % 4 > 0
    rows = inputs[trains], targets[trains], tasks[trains]
    model = TunedLinear(method=method).fit(*rows)
    pooled = PooledRidge().fit(*rows)

    def error(fitted: TunedLinear | PooledRidge) -> float:
        said = fitted.predict(inputs[~trains], tasks[~trains])
        return float(np.mean((said - targets[~trains]) ** 2))

    assert error(model) < 0.5 * error(pooled)
    told = {"rmtl": "outlier_tasks_", "l21": "chosen_features_", "mtrl": "task_covariance_"}
    assert told.get(method, "optimality_") in model.structure_[0]


def test_the_weights_are_the_optimum_of_what_pooled_ridge_misses() -> None:
    inputs, targets, tasks = deviating()
    model = TunedLinear().fit(inputs, targets, tasks)
    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    design = np.column_stack([scaled, np.ones(len(scaled))])
    pooled = PooledRidge().fit(scaled, targets, tasks).predict(scaled, tasks)
    weights = model.coef_[:-1, :, 0] / targets.std()
    missed = (targets - pooled) / targets.std() - (design * weights[tasks]).sum(axis=1)
    slope = np.stack([design[tasks == task].T @ missed[tasks == task] for task in range(12)])
    # No direction pulls more than γ, and those that are used pull by γ.
    gamma = model.strengths_["gamma"]
    sizes = np.linalg.svd(weights, compute_uv=False)
    assert np.linalg.norm(slope, 2) == pytest.approx(gamma, rel=0.02)
    assert np.vdot(slope, weights) == pytest.approx(gamma * sizes.sum(), rel=0.01)


def test_the_strongest_strengths_leave_pooled_ridge() -> None:
    random = np.random.default_rng(1)
    inputs, tasks = random.normal(size=(120, 3)), np.arange(120) % 20
    targets = inputs @ [1.0, 2.0, 3.0] + random.normal(size=120)
    model = TunedLinear(method="rmtl").fit(inputs, targets, tasks)
    pooled = PooledRidge().fit(inputs, targets, tasks)
    np.testing.assert_allclose(
        model.predict(inputs, tasks), pooled.predict(inputs, tasks), atol=1e-6
    )


def test_a_task_never_seen_has_everyone_s_mean_weights() -> None:
    inputs, targets, tasks = deviating()
    model = TunedLinear(method="evgeniou-pontil").fit(inputs, targets, tasks)
    said = [model.predict(inputs, np.full(len(tasks), task)) for task in range(12)]
    np.testing.assert_allclose(model.predict(inputs, np.full(len(tasks), 99)), np.mean(said, 0))


@pytest.mark.parametrize("method", ["trace-norm", "evgeniou-pontil"])
def test_more_inputs_than_rows_cost_nothing_that_rows_see(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, targets, tasks = deviating(4, 5, 30)
    whole = TunedLinear(method=method).fit(inputs, targets, tasks)
    assert whole.directions_ is None
    monkeypatch.setattr(tuned_linear, "MOST_NUMBERS", 5 * 26**2)
    turned = TunedLinear(method=method).fit(inputs, targets, tasks)
    assert turned.directions_ is not None
    assert turned.directions_.shape[0] == 30
    assert turned.directions_.shape[1] < 21
    np.testing.assert_allclose(
        turned.predict(inputs, tasks), whole.predict(inputs, tasks), rtol=5e-3
    )


def test_fewer_directions_than_rows_are_the_leading_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, targets, tasks = deviating(12, 12, 6)
    inputs[:, 3:] = inputs[:, :3] + 1e-6 * inputs[:, 3:]
    monkeypatch.setattr(tuned_linear, "MOST_NUMBERS", 12 * 4**2)
    model = TunedLinear().fit(inputs, targets, tasks)
    assert model.directions_ is not None
    assert model.directions_.shape == (6, 3)
    halves = model.directions_[:3], model.directions_[3:]
    np.testing.assert_allclose(*halves, atol=1e-3)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"method must be one of evgeniou-pontil, .*'lasso'"):
        TunedLinear(method="lasso").fit(np.zeros((4, 1)), np.arange(4), [0, 0, 1, 1])


def test_as_many_latent_models_are_chosen_as_tasks_need() -> None:
    """Eight tasks that have nothing in common need eight: a fit that starts where one of fewer
    ended must not keep their number.
    """
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(8), 40)
    inputs = random.normal(size=(320, 10))
    weights = random.normal(size=(8, 10))
    targets = (inputs * weights[tasks]).sum(axis=1) + 0.3 * random.normal(size=320)
    model = TunedLinear(method="go-mtl").fit(inputs, targets, tasks)
    assert model.structure_[0]["basis_"].shape == (8, 11)
    wanted = (inputs * weights[tasks]).sum(axis=1)
    assert np.mean((model.predict(inputs, tasks) - wanted) ** 2) < 0.1
