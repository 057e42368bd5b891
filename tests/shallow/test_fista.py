"""Accelerated proximal gradients against the optimum in closed form."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from softshare.shallow.fista import FORCING, fista, proximal_residual
from softshare.shallow.moments import Quadratic
from softshare.shallow.penalties import AbsolutePenalty


def test_steps_lead_to_shrunk_values_where_tasks_have_separate_features() -> None:
    # ½ g w² − c w + γ |w| is least at sign(c) max(|c| − γ, 0) / g, feature by feature.
    curvature = np.array([4.0, 1.0, 0.5])
    linear = np.array([[3.0, -2.0, 0.1], [0.2, 1.5, -4.0]])
    quadratic = Quadratic(np.diag(curvature)[None], linear, 0.0)
    penalty = AbsolutePenalty(0.5)
    parts = np.zeros((1, 2, 3))
    for _ in range(20):  # each call reduces the residual by a factor
        parts, _ = fista(quadratic, penalty, parts, max_iter=1000)
    wanted = np.sign(linear) * np.maximum(np.abs(linear) - 0.5, 0) / curvature
    assert_allclose(parts[0], wanted, atol=1e-8)


def test_one_call_reduces_the_residual_as_it_says_and_keeps_to_its_steps() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(30, 5))
    quadratic = Quadratic((X.T @ X)[None], generator.normal(size=(3, 5)), 0.0)
    penalty = AbsolutePenalty(0.1)
    start = np.zeros((1, 3, 5))
    step = 1 / quadratic.lipschitz
    parts, n_iter = fista(quadratic, penalty, start, max_iter=1000)
    first = proximal_residual(quadratic, penalty, start, step)
    assert proximal_residual(quadratic, penalty, parts, step) <= FORCING * first
    assert n_iter < 1000
    assert fista(quadratic, penalty, start, max_iter=3)[1] == 3
