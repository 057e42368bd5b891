"""A common model and each task's own difference from it (Evgeniou and Pontil, "Regularized
multi-task learning", KDD 2004).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal

import numpy as np

from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import LossPoint, TaskLoss
from softshare.shallow.moments import Quadratic
from softshare.shallow.solvers import (
    Apart,
    Objective,
    Solution,
    minimise,
    relative_norm,
)


class EvgeniouPontil(LinearTasks):
    """Every task's weights are common ones and a difference, ``w_t = w_0 + v_t``.

    Minimises ``loss + λ_1/T Σ_t ‖v_t‖² + λ_2 ‖w_0‖²`` (the paper's equation 5 with other losses).
    A large λ_1 makes one model of all tasks, a large λ_2 makes T models that share nothing. Suits
    tasks that are variations of one: it is the ridge regression of a mixed model. Squared losses
    are solved in closed form, logistic ones by Newton's method.

    Args:
        lambda_1: strength on the tasks' own differences.
        lambda_2: strength on the common weights; 0 leaves them free.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        unseen: what ``predict`` says of a task that ``fit`` has not seen: "error", or "common" for
            the common weights and the tasks' mean intercept.
        tol: the optimality to reach.
        max_iter: most steps.
        warm_start: whether ``fit`` starts from the weights of the last one.

    Attributes:
        common_coef_: ``w_0``, ``(D,)``.
        common_intercept_: the mean of the tasks' intercepts.
        own_coef_: ``v_t``, ``(T, D)``.
    """

    def __init__(
        self,
        lambda_1: float = 1.0,
        lambda_2: float = 1.0,
        *,
        loss: str = "squared",
        fit_intercept: bool = True,
        unseen: Literal["error", "common"] = "error",
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
    ) -> None:
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.unseen = unseen
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _strengths(self) -> Mapping[str, float]:
        return {"lambda_1": self.lambda_1, "lambda_2": self.lambda_2}

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.unseen not in ("error", "common"):
            raise ValueError(f'unseen: one of "error" and "common", got {self.unseen!r}')

    def _minimise(self, loss: TaskLoss, start: np.ndarray | None) -> Solution:
        objective: Objective = CommonAndOwn(self.lambda_1, self.lambda_2)
        if self.lambda_1 == 0:
            objective, start = Apart(), None
        return minimise(
            loss,
            objective,
            start=start,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _set_structure(self, parts: np.ndarray) -> None:
        # Without a penalty on the differences nothing needs to be common.
        self.common_coef_ = np.zeros(parts.shape[2])
        if len(parts) == 2:
            self.common_coef_ = parts[0, 0]
        self.own_coef_ = self.coef_ - self.common_coef_
        self.common_intercept_ = float(self.intercept_.mean())

    def _common_model(self, unseen: Sequence[Hashable]) -> tuple[np.ndarray, float]:
        if self.unseen == "error":
            return super()._common_model(unseen)
        return self.common_coef_, self.common_intercept_


class CommonAndOwn(Objective):
    """``λ_1/T Σ_t ‖v_t‖² + λ_2 ‖w_0‖²`` of the parts ``w_0``, the same in every row, and ``v``."""

    n_parts = 2

    def __init__(self, lambda_1: float, lambda_2: float) -> None:
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2

    def value(self, parts: np.ndarray) -> float:
        common = parts[0, 0]
        own = parts[1]
        own_part = self.lambda_1 / len(own) * (own**2).sum()
        common_part = self.lambda_2 * (common**2).sum()
        return float(own_part + common_part)

    def optimality(self, point: LossPoint, parts: np.ndarray) -> float:
        """The norm of the gradient by ``w_0`` and all ``v_t``, relative to the loss's terms."""
        common = parts[0, 0]
        own = parts[1]
        by_own = point.gradient + 2 * self.lambda_1 / len(own) * own
        by_common = point.gradient.sum(axis=0) + 2 * self.lambda_2 * common
        gradient = np.vstack([by_own, by_common])  # (T + 1, D)
        return relative_norm(gradient, point, common + own)

    def minimise(
        self, quadratic: Quadratic, parts: np.ndarray, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Eliminate every ``v_t``, solve for ``w_0``, and go back.

        With ``a = 2 λ_1 / T`` and ``A_t = G_t + a I``, the gradient by ``v_t`` vanishes at
        ``v_t = A_t⁻¹ (c_t − G_t w_0)``. Put in the gradient by ``w_0`` that leaves D equations,

            (Σ_t a A_t⁻¹ G_t + 2 λ_2 I) w_0 = Σ_t a A_t⁻¹ c_t.
        """
        n_tasks, n_features = quadratic.linear.shape
        ridge = 2 * self.lambda_1 / n_tasks
        identity = np.eye(n_features)
        scaled = ridge * np.linalg.inv(quadratic.gram + ridge * identity)  # a A_t⁻¹
        reduced = np.broadcast_to(scaled @ quadratic.gram, (n_tasks, n_features, n_features))
        products = np.matmul(scaled, quadratic.linear[:, :, None])  # (T, D, 1)
        right = products[:, :, 0]
        left = reduced.sum(axis=0) + 2 * self.lambda_2 * identity
        # Free common weights may have directions that no row sees: the shortest solution.
        inverse = np.linalg.pinv((left + left.T) / 2, rcond=1e-13, hermitian=True)
        common = inverse @ right.sum(axis=0)
        own = (right - reduced @ common) / ridge
        everywhere = np.broadcast_to(common, own.shape)
        return np.stack([everywhere, own]), 1
