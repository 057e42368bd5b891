"""A quadratic plus a penalty, minimised from Gram matrices by accelerated proximal gradients."""

from __future__ import annotations

import numpy as np

from softshare.shallow.moments import Quadratic
from softshare.shallow.penalties import ProximalPenalty

FORCING = 0.03
"""A quadratic is minimised until its residual is this fraction of what it was at first."""

LEAST_CURVATURE = 1e-100
"""Of a loss that is flat, where any step will do whose product with a strength is finite."""

CHECK_EVERY = 10
"""Proximal steps between two looks at the residual, each of which costs as much as a step."""


def fista(
    quadratic: Quadratic,
    penalty: ProximalPenalty,
    parts: np.ndarray,
    *,
    max_iter: int,
) -> tuple[np.ndarray, int]:
    """Accelerated proximal gradient steps (Beck and Teboulle, 2009) that start anew whenever the
    momentum points uphill (O'Donoghue and Candès, 2015, section 3.2).

    Returns:
        The parts, once the residual has fallen to ``FORCING`` of what it was, and the steps taken.
    """
    # W is the sum of the parts: its curvature in all of them together is n times as large.
    step = 1 / max(penalty.n_parts * quadratic.lipschitz, LEAST_CURVATURE)
    first = proximal_residual(quadratic, penalty, parts, step)
    ahead, momentum = parts, 1.0
    for n_iter in range(1, max_iter + 1):
        gradient = quadratic.gradient(ahead.sum(axis=0))
        new = penalty.proximal(ahead - step * gradient, step)
        # ahead − new is the (generalised) gradient: momentum should not point along it.
        if np.vdot(ahead - new, new - parts) > 0:
            ahead, momentum = new, 1.0
        else:
            grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = new + (momentum - 1) / grown * (new - parts)
            momentum = grown
        parts = new
        if n_iter % CHECK_EVERY == 0:
            residual = proximal_residual(quadratic, penalty, parts, step)
            if residual <= FORCING * first:
                break
    return parts, n_iter


def proximal_residual(
    quadratic: Quadratic,
    penalty: ProximalPenalty,
    parts: np.ndarray,
    step: float,
) -> float:
    """How far a proximal gradient step goes; zero at the optimum alone."""
    gradient = quadratic.gradient(parts.sum(axis=0))
    reached = penalty.proximal(parts - step * gradient, step)
    return float(np.linalg.norm(reached - parts))
