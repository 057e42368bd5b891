"""Tasks that combine a few of several latent models (Kumar and Daumé, "Learning task grouping and
overlap in multi-task learning", ICML 2012).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from softshare.shallow.checks import is_number
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import LossPoint, TaskLoss
from softshare.shallow.moments import Quadratic
from softshare.shallow.penalties import TINY, AbsolutePenalty
from softshare.shallow.solvers import (
    Apart,
    Objective,
    Proximal,
    Solution,
    along_the_line,
    minimise,
    warn_above,
)
from softshare.shallow.spectral import varimax


class GOMTL(LinearTasks):
    """Every task is a sparse combination of latent models that several tasks use.

    Minimises ``loss + μ ‖S‖_1 + λ ‖L‖_F²`` with ``W = L S`` (equation 1): columns of L are the
    latent models, columns of S say which of them a task combines. Tasks with the same latent models
    are a group, and groups overlap. Not convex: from the models that every task learns alone, whose
    leading directions L starts with, the objective falls with S and L in turn, to a point that
    neither improves. Unlike in the paper these directions are first turned so that few tasks use
    each (varimax).

    Args:
        n_components: how many latent models, at most T and D.
        mu: μ.
        lam: λ.
        loss: "squared" or "logistic".
        fit_intercept: whether each task has an unpenalised intercept.
        tol: how little the objective may still fall in a round, relative to itself; this is what
            ``optimality_`` says.
        max_iter: most rounds over S and L.
        warm_start: whether ``fit`` starts from the latent models of the last one.

    Attributes:
        basis_: the latent models, ``(n_components, D)``.
        codes_: what every task makes of them, ``(T, n_components)``.
        objective_: the objective after every round.
    """

    def __init__(
        self,
        n_components: int = 2,
        mu: float = 1.0,
        lam: float = 1.0,
        *,
        loss: str = "squared",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
        warm_start: bool = False,
    ) -> None:
        self.n_components = n_components
        self.mu = mu
        self.lam = lam
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _strengths(self) -> Mapping[str, float]:
        return {"mu": self.mu, "lam": self.lam}

    def _check_settings(self) -> None:
        super()._check_settings()
        if not is_number(self.n_components) or self.n_components < 1:
            raise ValueError(f"GOMTL: n_components is at least 1, got {self.n_components!r}")
        if min(self.mu, self.lam) == 0:
            raise ValueError(
                f"GOMTL: mu and lam are above 0, got {self.mu} and {self.lam}; without one of "
                "them the other has no effect, as L and S can be scaled against each other"
            )

    def _minimise(self, loss: TaskLoss, start: Any) -> Solution:
        n_components = min(self.n_components, *loss.shape)
        if start is None or len(start[1]) != n_components:
            start = self._first(loss)
        codes, basis = start
        sparse = Proximal(AbsolutePenalty(self.mu))
        small = Apart(2 * self.lam)  # which has a factor ½
        self.objective_: list[float] = []
        fall = np.inf
        while fall > self.tol and len(self.objective_) < self.max_iter:
            codes, basis = balanced(codes, basis, self.mu, self.lam)
            codes = improved(OfCodes(loss, basis), sparse, codes)
            # The basis as the weights of one task: (K, D) → (1, K · D).
            flat = improved(OfBasis(loss, codes), small, basis.reshape(1, -1))
            basis = flat.reshape(basis.shape)
            point = loss.at(codes @ basis)
            objective = point.value + sparse.value(codes) + small.value(flat)
            if self.objective_:
                fall = (self.objective_[-1] - objective) / max(objective, TINY)
            self.objective_.append(objective)
        n_rounds = len(self.objective_)
        warn_above(self.tol, fall, n_rounds)
        self.codes_, self.basis_ = codes, basis
        return Solution((codes @ basis)[None], point.intercepts, fall, n_rounds)

    def _first(self, loss: TaskLoss) -> tuple[np.ndarray, np.ndarray]:
        """The leading directions of the models that every task learns alone (Algorithm 1), turned
        so that codes are sparse: turns over S and L do not find that rotation by themselves.
        """
        ridge = Apart(2 * self.lam)
        alone = minimise(loss, ridge, tol=1e-6, max_iter=self.max_iter).coef
        _, _, right = np.linalg.svd(alone, full_matrices=False)
        directions = right[: self.n_components]
        rotation = varimax(alone @ directions.T)
        basis = rotation.T @ directions
        return alone @ basis.T, basis

    def _start(self, shape: tuple[int, int]) -> Any:
        if not hasattr(self, "codes_"):
            return None
        before = len(self.codes_), self.basis_.shape[1]
        return (self.codes_, self.basis_) if before == shape else None

    def _set_structure(self, parts: np.ndarray) -> None:
        """The two factors are set where they are found."""


class OfCodes(TaskLoss):
    """A loss as a function of the codes, ``(T, K)``, beside a fixed basis."""

    def __init__(self, loss: TaskLoss, basis: np.ndarray) -> None:
        self.loss = loss
        self.basis = basis

    @property
    def shape(self) -> tuple[int, int]:
        return self.loss.shape[0], len(self.basis)

    def at(self, coef: np.ndarray) -> LossPoint:
        point = self.loss.at(coef @ self.basis)

        def model() -> Quadratic:
            inner = point.model()
            gram = self.basis @ inner.gram @ self.basis.T  # (T, K, K)
            linear = inner.linear @ self.basis.T
            return Quadratic(gram, linear, inner.constant)

        return replace(point, gradient=point.gradient @ self.basis.T, model=model)


class OfBasis(TaskLoss):
    """A loss as a function of the basis beside fixed codes: as of one task with K · D weights."""

    def __init__(self, loss: TaskLoss, codes: np.ndarray) -> None:
        self.loss = loss
        self.codes = codes

    @property
    def shape(self) -> tuple[int, int]:
        return 1, self.codes.shape[1] * self.loss.shape[1]

    def at(self, coef: np.ndarray) -> LossPoint:
        basis = coef.reshape(self.codes.shape[1], -1)
        point = self.loss.at(self.codes @ basis)
        gradient = (self.codes.T @ point.gradient).reshape(1, -1)
        return replace(point, gradient=gradient, model=lambda: self._model(point.model()))

    def _model(self, inner: Quadratic) -> Quadratic:
        """The Gram matrix of ``vec(basis)``, ``Σ_t s_t s_tᵀ ⊗ G_t``."""
        n_components = self.codes.shape[1]
        n_features = inner.linear.shape[1]
        pairs = self.codes[:, :, None] * self.codes[:, None, :]  # s_t s_tᵀ, (T, K, K)
        if len(inner.gram) == 1:
            pairs = pairs.sum(axis=0, keepdims=True)
        n_grams = len(pairs)
        flat_pairs = pairs.reshape(n_grams, -1)
        flat = flat_pairs.T @ inner.gram.reshape(n_grams, -1)  # (K², D²)
        # (K, K, D, D) → (K, D, K, D)
        blocks = flat.reshape(n_components, n_components, n_features, n_features)
        size = n_components * n_features
        gram = blocks.transpose(0, 2, 1, 3).reshape(1, size, size)
        linear = (self.codes.T @ inner.linear).reshape(1, -1)
        return Quadratic(gram, linear, inner.constant)


def improved(
    loss: TaskLoss,
    objective: Objective,
    weights: np.ndarray,
    *,
    max_steps: int = 200,
) -> np.ndarray:
    """Weights after a Newton step, which lowers the objective or leaves them."""
    parts = weights[None]
    point = loss.at(weights)
    target, _ = objective.minimise(point.model(), parts, max_steps)
    moved = along_the_line(
        loss,
        objective,
        point,
        parts,
        target,
    )
    return weights if moved is None else np.asarray(moved[0][0])


def balanced(
    codes: np.ndarray,
    basis: np.ndarray,
    mu: float,
    lam: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Scale every latent model against its codes so that the two penalties are least.

    ``μ c ‖s_k‖_1 + λ ‖l_k‖² / c²`` is least at ``c³ = 2 λ ‖l_k‖² / (μ ‖s_k‖_1)``. Turns over S and
    L alone would creep along this direction, in which the loss is constant.
    """
    absolute = np.abs(codes).sum(axis=0)
    squares = (basis**2).sum(axis=1)
    used = (absolute > TINY) & (squares > TINY)
    ratio = 2 * lam * squares / np.where(used, mu * absolute, 1.0)
    scale = np.where(used, np.cbrt(ratio), 1.0)
    return codes * scale, basis / scale[:, None]
