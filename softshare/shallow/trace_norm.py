"""Weights of low rank (Ji and Ye, "An accelerated gradient method for trace norm minimization",
ICML 2009).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import TaskLoss
from softshare.shallow.penalties import TraceNormPenalty
from softshare.shallow.solvers import Apart, Proximal, Solution, minimise
from softshare.shallow.spectral import directions


class TraceNormLinear(LinearTasks):
    """All tasks' weights combine a few directions of the inputs.

    Minimises ``loss + γ ‖W‖_*`` (equation 1), the sum of the singular values of all tasks' weights,
    by accelerated proximal gradient steps. Suits many tasks that differ along a few directions;
    at γ = 0 every task is alone.

    Args:
        gamma: γ.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        tol: the relative duality gap to reach.
        max_iter: most proximal gradient steps.
        warm_start: whether ``fit`` starts from the weights of the last one.

    Attributes:
        basis_: the orthonormal directions that are used, the most used first, ``(rank, D)``.
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
        objective = Proximal(TraceNormPenalty(self.gamma)) if self.gamma else Apart()
        return minimise(
            loss,
            objective,
            start=start,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _set_structure(self, parts: np.ndarray) -> None:
        self.basis_ = directions(self.coef_)
