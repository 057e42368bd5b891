"""The mixed model against statsmodels, and rows that are hard."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from softshare.shallow.mixed_model import MixedModel


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
