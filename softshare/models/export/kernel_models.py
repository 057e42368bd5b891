"""Models that compare rows with those that they have learned from, as modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from softshare.models.export.tables import codes_of, double
from softshare.shallow.gaussian_process import GaussianProcess
from softshare.shallow.kernel_apart import OF_MEAN, KernelApart


class InTargetsUnit(nn.Module):
    """Outputs around a centre in the targets' unit, or as logits.

    Args:
        estimator: whose outputs they are.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        centre = estimator.centre_
        scale = estimator.scale_
        if estimator.kind != "regression":
            bounded = centre.clip(1e-3, 1 - 1e-3)
            is_binary = estimator.kind == "binary"
            centre = np.log(bounded / (1 - bounded)) if is_binary else np.log(bounded)
            scale = estimator.temper_
        self.register_buffer("centre", double(centre))
        self.register_buffer("scale", double(scale))

    def forward(self, outputs: Tensor) -> Tensor:
        """``(N, C)`` → ``(N, C)``."""
        return self.centre + self.scale * outputs


class GaussianProcessOfRows(nn.Module):
    """The mean of a Gaussian process.

    Args:
        estimator: the process.
        numbers: of the tasks.
    """

    mean: Tensor
    scale: Tensor
    lengths: Tensor
    amplitudes: Tensor
    inputs: Tensor
    tasks: Tensor
    weights: Tensor
    codes: Tensor

    def __init__(
        self,
        estimator: GaussianProcess,
        numbers: np.ndarray,
    ) -> None:
        super().__init__()
        rows = estimator.rows_
        kernel = estimator.kernel_
        codes = codes_of(estimator, numbers)
        self.register_buffer("mean", double(estimator.scaling_.mean))
        self.register_buffer("scale", double(estimator.scaling_.scale))
        self.register_buffer("lengths", double(kernel.lengths))
        self.register_buffer("amplitudes", double(kernel.amplitudes))
        self.register_buffer("inputs", double(rows.inputs))
        self.register_buffer("tasks", torch.from_numpy(rows.tasks))
        self.register_buffer("weights", double(estimator.weights_))
        self.register_buffer("codes", torch.from_numpy(codes))
        self.answers = InTargetsUnit(estimator)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        inputs = (features.to(torch.float64) - self.mean) / self.scale
        one = inputs / self.lengths
        other = self.inputs / self.lengths
        near = torch.exp(-0.5 * squared_distances(one, other))
        alike = inputs @ self.inputs.T / inputs.shape[1]
        codes = self.codes.index_select(0, places)
        same_task = (codes[:, None] == self.tasks).to(torch.float64)
        common_near, common_alike, own_near, own_alike, own = self.amplitudes[:5].unbind(0)
        common = common_near * near + common_alike * alike
        of_task = own_near * near + own_alike * alike + own
        covariance = common + same_task * of_task
        answers: Tensor = self.answers(covariance @ self.weights)
        return answers


class KernelsApartOfRows(nn.Module):
    """Each task's own smooth function.

    Args:
        estimator: the functions.
        numbers: of the tasks.
    """

    mean: Tensor
    scale: Tensor
    near: Tensor
    seen: Tensor
    duals: Tensor
    sets: Tensor

    def __init__(
        self,
        estimator: KernelApart,
        numbers: np.ndarray,
    ) -> None:
        super().__init__()
        scaled, near, _ = estimator.kernel_
        scale = estimator.scaling_.scale
        if not scaled:
            # One unit for all inputs: what scales a row of ones about the mean to.
            ones = estimator.scaling_.mean[None] + 1.0
            scale = 1.0 / estimator._scaled(ones, scaled)[0]
        n_inputs = len(estimator.scaling_.mean)
        codes = codes_of(estimator, numbers)
        used = np.unique(estimator.places_[codes[codes >= 0], 0])
        most = max((len(estimator.seen_[number]) for number in used), default=1)
        seen = np.zeros((max(len(used), 1), most, n_inputs))
        for place, number in enumerate(used):
            own = estimator.seen_[number]
            seen[place, : len(own)] = own
        duals = np.zeros((len(codes), most, len(estimator.centre_)))
        sets = np.zeros(len(codes), dtype=np.int64)
        for task in np.flatnonzero(codes >= 0):
            number, place = estimator.places_[codes[task]]
            of_task = estimator.duals_[number][:, place]
            duals[task, : len(of_task)] = of_task
            sets[task] = np.searchsorted(used, number)
        self.register_buffer("mean", double(estimator.scaling_.mean))
        self.register_buffer("scale", double(scale))
        self.register_buffer("near", double(near / (2 * max(n_inputs, 1))))
        self.register_buffer("seen", double(seen))
        self.register_buffer("duals", double(duals))
        self.register_buffer("sets", torch.from_numpy(sets))
        self.answers = InTargetsUnit(estimator)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        inputs = (features.to(torch.float64) - self.mean) / self.scale
        sets = self.sets.index_select(0, places)
        seen = self.seen.index_select(0, sets)  # (N, n, p)
        row = inputs.unsqueeze(1)
        squares = (row**2).sum(2) + (seen**2).sum(2)
        products = torch.bmm(seen, row.transpose(1, 2)).squeeze(2)
        distances = torch.clamp(squares - 2 * products, min=0)
        covariance = torch.exp(-self.near * distances) + OF_MEAN
        duals = self.duals.index_select(0, places)  # (N, n, C)
        outputs = torch.bmm(covariance.unsqueeze(1), duals).squeeze(1)
        answers: Tensor = self.answers(outputs)
        return answers


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Of all pairs of rows, ``(N, p)`` and ``(M, p)`` → ``(N, M)``."""
    of_first = (first**2).sum(dim=1)
    of_second = (second**2).sum(dim=1)
    products = first @ second.T
    return torch.clamp(of_first[:, None] + of_second - 2 * products, min=0)
