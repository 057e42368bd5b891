"""Inputs as their principal components: what was fitted, kept with a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.vectors import Preprocessing


@dataclass(frozen=True)
class Components(Preprocessing):
    """Inputs turned into numbers, then into their coordinates on the training rows' principal axes.

    Args:
        before: what turns raw inputs into numbers; None where they are numbers.
        mean: of the training rows, a row of numbers.
        axes: the directions of most variance, of length 1, the greatest first: ``(K, D)``.
    """

    before: Preprocessing | None
    mean: tuple[float, ...]
    axes: tuple[tuple[float, ...], ...]

    def transform(self, inputs: Any) -> Tensor:
        """Inputs ``(N, *shape)`` as coordinates ``(N, K)``."""
        numbers = torch.as_tensor(inputs) if self.before is None else self.before.transform(inputs)
        return self.of_numbers(numbers)

    def of_numbers(self, numbers: Tensor) -> Tensor:
        """The coordinates ``(N, K)`` of inputs ``(N, *shape)`` that are numbers already.

        Raises:
            ValueError: a row is longer or shorter than those it was fitted on.
        """
        rows = numbers.flatten(1).double()
        if rows.shape[1] != len(self.mean):
            raise ValueError(
                f"inputs must be rows of {len(self.mean)} numbers, got shape {tuple(numbers.shape)}"
            )
        centred = rows - torch.tensor(self.mean, dtype=torch.float64)
        axes = torch.from_numpy(np.array(self.axes, dtype=np.float64))
        return (centred @ axes.T).float()

    def to_json(self) -> str:
        """See :meth:`Preprocessing.to_json`."""
        before = None if self.before is None else self.before.to_json()
        content = {"before": before, "mean": self.mean, "axes": self.axes}
        return json.dumps({"form": type(self).__name__, **content})
