"""Features that all tasks use or none does (Argyriou, Evgeniou and Pontil, "Convex multi-task
feature learning", 2008, without the rotation of the features).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import TaskLoss
from softshare.shallow.penalties import FeatureNormPenalty
from softshare.shallow.solvers import Apart, Proximal, Solution, minimise


class L21(LinearTasks):
    """All tasks choose the same features, and weigh them freely.

    Minimises ``loss + γ Σ_d ‖(w_1d, …, w_Td)‖₂``, by accelerated proximal gradient steps. Suits
    many features of which few matter, the same for all tasks. With one matrix of inputs it is
    scikit-learn's ``MultiTaskLasso`` with γ its ``alpha`` times the number of rows.

    Args:
        gamma: γ.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        tol: the relative duality gap to reach.
        max_iter: most proximal gradient steps.
        warm_start: whether ``fit`` starts from the weights of the last one.

    Attributes:
        chosen_features_: whether a feature is used, ``(D,)``.
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
        objective = Proximal(FeatureNormPenalty(self.gamma)) if self.gamma else Apart()
        return minimise(
            loss,
            objective,
            start=start,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _set_structure(self, parts: np.ndarray) -> None:
        self.chosen_features_ = (self.coef_ != 0).any(axis=0)
