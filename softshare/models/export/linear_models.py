"""Linear models as modules."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from softshare.models.export.tables import codes_of, double
from softshare.shallow.mixed_model import MixedModel
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.ridge_apart import RidgeApart
from softshare.shallow.rows import Array, Scaling
from softshare.shallow.tuned_linear import TunedLinear


class LinearOfRows(nn.Module):
    """``y = x · W_common + x · W_t + b_t`` on scaled inputs.

    Args:
        scaling: of the inputs.
        common: ``(p, C)``, or None.
        own: ``(T, p, C)``, or None.
        constants: ``(T, C)``.
    """

    mean: Tensor
    scale: Tensor
    common: Tensor | None
    own: Tensor | None
    constants: Tensor

    def __init__(
        self,
        scaling: Scaling,
        common: Array | None,
        own: Array | None,
        constants: Array,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", double(scaling.mean))
        self.register_buffer("scale", double(scaling.scale))
        self.register_buffer("common", None if common is None else double(common))
        self.register_buffer("own", None if own is None else double(own))
        self.register_buffer("constants", double(constants))

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        inputs = (features.to(torch.float64) - self.mean) / self.scale
        outputs = self.constants.index_select(0, places)
        if self.common is not None:
            outputs = outputs + inputs @ self.common
        if self.own is not None:
            own = self.own.index_select(0, places)  # (N, p, C)
            products = torch.bmm(inputs.unsqueeze(1), own)
            outputs = outputs + products.squeeze(1)
        return outputs


def of_ridge(estimator: RidgeApart, numbers: np.ndarray) -> nn.Module:
    """A linear model of each task."""
    # The last row, (T + 1, p + 1, C), is that of a task without rows.
    coefficients = estimator.coef_[codes_of(estimator, numbers)]
    return LinearOfRows(
        estimator.scaling_,
        None,
        coefficients[:, :-1],
        coefficients[:, -1],
    )


def of_pooled_ridge(estimator: PooledRidge, numbers: np.ndarray) -> nn.Module:
    """One linear model, and an offset of each task."""
    offsets = np.vstack([estimator.offsets_, np.zeros(len(estimator.intercept_))])
    own = offsets[codes_of(estimator, numbers)]
    return LinearOfRows(
        estimator.scaling_,
        estimator.coef_.T,
        None,
        own + estimator.intercept_,
    )


def of_mixed_model(estimator: MixedModel, numbers: np.ndarray) -> nn.Module:
    """A linear model, and each task's differences from it."""
    none = np.zeros_like(estimator.fixed_effects_)[None]
    effects = np.concatenate([estimator.task_effects_, none])
    own = effects[codes_of(estimator, numbers)]  # (T, C, p + 1)
    common = estimator.fixed_effects_
    has_slopes = bool(own[:, :, :-1].any())
    return LinearOfRows(
        estimator.scaling_,
        common[:, :-1].T,
        own[:, :, :-1].transpose(
            0,
            2,
            1,
        )
        if has_slopes
        else None,
        own[:, :, -1] + common[:, -1],
    )


class OnPooledRidge(nn.Module):
    """What tasks differ in from a pooled ridge, which sees the same scaled inputs.

    Args:
        estimator: both.
        codes: of the tasks, as the estimator knows them.
    """

    def __init__(
        self,
        estimator: TunedLinear,
        codes: np.ndarray,
    ) -> None:
        super().__init__()
        assert estimator.base_ is not None
        coefficients = estimator.coef_[codes]
        self.own = LinearOfRows(
            estimator.scaling_,
            None,
            coefficients[:, :-1],
            coefficients[:, -1],
        )
        self.base = of_pooled_ridge(estimator.base_, codes)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        own: Tensor = self.own(features, places)
        scaled = (features.to(torch.float64) - self.own.mean) / self.own.scale
        base: Tensor = self.base(scaled, places)
        return base + own


def of_tuned_linear(estimator: TunedLinear, numbers: np.ndarray) -> nn.Module:
    """A linear model of each task, beside what all have in common."""
    codes = codes_of(estimator, numbers)
    if estimator.base_ is not None:
        return OnPooledRidge(estimator, codes)
    coefficients = estimator.coef_[codes]
    return LinearOfRows(
        estimator.scaling_,
        None,
        coefficients[:, :-1],
        coefficients[:, -1] + estimator.constant_,
    )
