"""A covariance of the tasks, learned (Zhang and Yeung, "A convex formulation for learning task
relationships in multi-task learning", UAI 2010).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import TaskLoss
from softshare.shallow.penalties import SquaredTraceNormPenalty
from softshare.shallow.solvers import Apart, Proximal, Solution, minimise
from softshare.shallow.spectral import unit_trace_root


class MTRL(LinearTasks):
    """Tasks pull each other's weights as a learned covariance says, towards or away.

    Minimises ``loss + λ_1/2 ‖W‖_F² + λ_2/2 tr(W Ω⁻¹ Wᵀ)`` by the weights and the tasks' covariance
    Ω, positive semidefinite with trace 1 (equation 6). The best Ω for given weights is
    ``(Wᵀ W)^{1/2} / tr (Wᵀ W)^{1/2}``, which leaves the penalty ``λ_2/2 ‖W‖_*²``; the paper
    alternates, here the weights are found by accelerated proximal gradient steps on what is left.

    Args:
        lambda_1: strength on every task's weights.
        lambda_2: strength on what the other tasks do not explain.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        tol: the relative duality gap to reach.
        max_iter: most proximal gradient steps.
        warm_start: whether ``fit`` starts from the weights of the last one.

    Attributes:
        task_covariance_: Ω, ``(T, T)``.
    """

    def __init__(
        self,
        lambda_1: float = 1.0,
        lambda_2: float = 1.0,
        *,
        loss: str = "squared",
        fit_intercept: bool = True,
        tol: float = 1e-7,
        max_iter: int = 20_000,
        warm_start: bool = False,
    ) -> None:
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _strengths(self) -> Mapping[str, float]:
        return {"lambda_1": self.lambda_1, "lambda_2": self.lambda_2}

    def _minimise(self, loss: TaskLoss, start: np.ndarray | None) -> Solution:
        penalty = SquaredTraceNormPenalty(self.lambda_2, ridge=self.lambda_1)
        objective = Proximal(penalty) if self.lambda_2 else Apart(self.lambda_1)
        return minimise(
            loss,
            objective,
            start=start,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _set_structure(self, parts: np.ndarray) -> None:
        self.task_covariance_ = unit_trace_root(self.coef_)
