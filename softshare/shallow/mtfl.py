"""Features that all tasks share, learned (Argyriou, Evgeniou and Pontil, "Convex multi-task feature
learning", Machine Learning 2008).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import TaskLoss
from softshare.shallow.penalties import SquaredTraceNormPenalty
from softshare.shallow.solvers import Apart, Proximal, Solution, minimise
from softshare.shallow.spectral import directions, unit_trace_root


class MTFL(LinearTasks):
    """All tasks use a few learned features, linear combinations of the inputs.

    Minimises ``loss + γ Σ_t w_tᵀ D⁻¹ w_t`` by the weights and the covariance of the features D,
    positive semidefinite with trace at most 1 (equation 13). The best D for given weights is
    ``(W Wᵀ)^{1/2} / tr (W Wᵀ)^{1/2}``, which leaves the penalty ``γ ‖W‖_*²`` (section 4). The
    paper alternates between the two, which slows down as D becomes singular; here the weights are
    found by accelerated proximal gradient steps on what is left, and D from them.

    Args:
        gamma: γ.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        tol: the relative duality gap to reach.
        max_iter: most proximal gradient steps.
        warm_start: whether ``fit`` starts from the weights of the last one.

    Attributes:
        feature_covariance_: D, ``(D, D)``.
        basis_: its directions that are used, the learned features, the most used first,
            ``(rank, D)``.
    """

    def __init__(
        self,
        gamma: float = 1.0,
        *,
        loss: str = "squared",
        fit_intercept: bool = True,
        tol: float = 1e-7,
        max_iter: int = 20_000,
        warm_start: bool = False,
    ) -> None:
        self.gamma = gamma
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _strengths(self) -> Mapping[str, float]:
        return {"gamma": self.gamma}

    def _minimise(self, loss: TaskLoss, start: np.ndarray | None) -> Solution:
        penalty = SquaredTraceNormPenalty(2 * self.gamma)  # which has a factor ½
        objective = Proximal(penalty) if self.gamma else Apart()
        return minimise(
            loss,
            objective,
            start=start,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _set_structure(self, parts: np.ndarray) -> None:
        self.feature_covariance_ = unit_trace_root(self.coef_.T)
        self.basis_ = directions(self.coef_)
