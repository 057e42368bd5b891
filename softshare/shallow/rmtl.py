"""A low-rank model of most tasks and outliers beside it (Chen, Zhou and Ye, "Integrating low-rank
and group-sparse structures for robust multi-task learning", KDD 2011).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import TaskLoss
from softshare.shallow.penalties import LowRankAndOutliersPenalty
from softshare.shallow.solvers import Proximal, Solution, minimise
from softshare.shallow.spectral import directions


class RMTL(LinearTasks):
    """Most tasks share a few directions; a task that does not fit in has weights of its own.

    Minimises ``loss + α ‖P‖_* + β Σ_t ‖q_t‖₂`` with ``W = P + Q`` (equation 3) by accelerated
    proximal gradient steps. A task with ``q_t ≠ 0`` is an outlier. With β at least α no task need
    be one, with α at least ``√T`` times β all are.

    Args:
        alpha: α, above 0.
        beta: β, above 0.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        tol: the relative duality gap to reach.
        max_iter: most proximal gradient steps.
        warm_start: whether ``fit`` starts from the weights of the last one.

    Attributes:
        low_rank_coef_: P, ``(T, D)``.
        outlier_coef_: Q, ``(T, D)``.
        outlier_tasks_: the names of the tasks with ``q_t ≠ 0``.
        basis_: the directions of P, the most used first, ``(rank, D)``.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 0.5,
        *,
        loss: str = "squared",
        fit_intercept: bool = True,
        tol: float = 1e-7,
        max_iter: int = 20_000,
        warm_start: bool = False,
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _strengths(self) -> Mapping[str, float]:
        return {"alpha": self.alpha, "beta": self.beta}

    def _check_settings(self) -> None:
        super()._check_settings()
        if min(self.alpha, self.beta) == 0:
            raise ValueError(
                f"RMTL: alpha and beta are above 0, got {self.alpha} and {self.beta}; without one "
                "of them every task is alone, as in TraceNormLinear(gamma=0)"
            )

    def _minimise(self, loss: TaskLoss, start: np.ndarray | None) -> Solution:
        objective = Proximal(LowRankAndOutliersPenalty(self.alpha, self.beta))
        return minimise(
            loss,
            objective,
            start=start,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _set_structure(self, parts: np.ndarray) -> None:
        self.low_rank_coef_, self.outlier_coef_ = parts
        is_outlier = (self.outlier_coef_ != 0).any(axis=1)
        self.outlier_tasks_ = [
            name for name, outlier in zip(self.tasks_, is_outlier, strict=True) if outlier
        ]
        self.basis_ = directions(self.low_rank_coef_)
