"""Proximal operators and conjugates from their definitions, by an independent minimiser."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from numpy.testing import assert_allclose

from softshare.shallow.penalties import (
    AbsolutePenalty,
    FeatureNormPenalty,
    LowRankAndOutliersPenalty,
    ProximalPenalty,
    SquaredTraceNormPenalty,
    TraceNormPenalty,
)

PENALTIES = [
    TraceNormPenalty(1.3),
    SquaredTraceNormPenalty(0.4),
    SquaredTraceNormPenalty(0.4, ridge=0.7),
    FeatureNormPenalty(1.3),
    AbsolutePenalty(0.6),
    LowRankAndOutliersPenalty(1.3, 0.9),
]
NORMS = [penalty for penalty in PENALTIES if not isinstance(penalty, SquaredTraceNormPenalty)]


def name(penalty: ProximalPenalty) -> str:
    return type(penalty).__name__


def program(penalty: ProximalPenalty, parts: list[cvxpy.Variable]) -> cvxpy.Expression:
    match penalty:
        case TraceNormPenalty():
            return penalty.strength * cvxpy.normNuc(parts[0])
        case SquaredTraceNormPenalty():
            nuclear = penalty.strength / 2 * cvxpy.square(cvxpy.normNuc(parts[0]))
            return nuclear + penalty.ridge / 2 * cvxpy.sum_squares(parts[0])
        case FeatureNormPenalty():
            return penalty.strength * cvxpy.sum(cvxpy.norm(parts[0], 2, axis=0))
        case AbsolutePenalty():
            return penalty.strength * cvxpy.sum(cvxpy.abs(parts[0]))
        case LowRankAndOutliersPenalty():
            norms = cvxpy.sum(cvxpy.norm(parts[1], 2, axis=1))
            return penalty.low_rank * cvxpy.normNuc(parts[0]) + penalty.outlier * norms
    raise TypeError(penalty)


def random_parts(penalty: ProximalPenalty, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(penalty.n_parts, 3, 4)) * 2


@pytest.mark.parametrize("penalty", PENALTIES, ids=name)
def test_the_proximal_operator_minimises_what_defines_it(penalty: ProximalPenalty) -> None:
    parts, step = random_parts(penalty), 0.7
    variables = [cvxpy.Variable((3, 4)) for _ in parts]
    pairs = zip(variables, parts, strict=True)
    distance = sum(cvxpy.sum_squares(variable - part) for variable, part in pairs)
    problem = cvxpy.Problem(cvxpy.Minimize(distance / 2 + step * program(penalty, variables)))
    problem.solve(solver=cvxpy.CLARABEL)

    found = penalty.proximal(parts, step)
    assert_allclose(found, [variable.value for variable in variables], atol=1e-4)
    value = ((found - parts) ** 2).sum() / 2 + step * penalty.value(found)
    assert value == pytest.approx(problem.value, rel=1e-6)


@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_the_conjugate_of_the_squared_trace_norm_is_reached(ridge: float) -> None:
    penalty = SquaredTraceNormPenalty(0.4, ridge=ridge)
    gradient = random_parts(penalty)[0]
    weights = cvxpy.Variable((3, 4))
    product = cvxpy.sum(cvxpy.multiply(gradient, weights))
    problem = cvxpy.Problem(cvxpy.Maximize(product - program(penalty, [weights])))
    problem.solve(solver=cvxpy.CLARABEL)
    assert penalty.conjugate(gradient) == pytest.approx(problem.value, rel=1e-6)


@pytest.mark.parametrize("penalty", NORMS, ids=name)
def test_a_feasible_gradient_never_beats_the_penalty(penalty: ProximalPenalty) -> None:
    gradient = 20 * random_parts(penalty)[0]
    scale = penalty.feasible_scale(gradient)
    assert 0 < scale < 1
    for seed in range(20):
        parts = random_parts(penalty, seed)
        assert np.vdot(scale * gradient, parts.sum(axis=0)) <= penalty.value(parts) + 1e-9


@pytest.mark.parametrize("penalty", PENALTIES, ids=name)
def test_zero_stays_zero(penalty: ProximalPenalty) -> None:
    zero = np.zeros((penalty.n_parts, 3, 4))
    assert_allclose(penalty.proximal(zero, 1.0), 0)
    assert penalty.value(zero) == 0
    assert penalty.feasible_scale(zero[0]) == 1
    assert penalty.conjugate(zero[0]) == 0
