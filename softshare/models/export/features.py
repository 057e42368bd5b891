"""Preprocessing as modules: raw rows in, the features that a model has learned from out.

Every step is carried out in the precision in which :mod:`softshare.tasks.features` carries it out,
and only its result rounded: a tree divides rows by differences in the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from softshare.models.export.refusal import NotExportableError
from softshare.models.export.scaled_numbers import ScaledNumbers
from softshare.models.export.table_features import Raw, TableFeatures
from softshare.tasks.components import Components
from softshare.tasks.features import TableColumns
from softshare.tasks.vectors import Preprocessing, Scaled, Vectors


def features_of(preprocessing: Sequence[Preprocessing | None]) -> nn.Module:
    """The module of what was fitted on each of the sources that tasks have.

    Its ``forward`` takes raw inputs by their names and each row's source.

    Raises:
        NotExportableError: sources of different forms cannot be one input.
    """
    first = preprocessing[0]
    if isinstance(first, Vectors) and all(isinstance(one, Vectors) for one in preprocessing):
        return ScaledVectors(preprocessing)
    if any(one != first for one in preprocessing):
        raise NotExportableError(
            "the tasks' inputs were read in different ways; export each task by itself"
        )
    if isinstance(first, TableColumns):
        return TableFeatures(first)
    if isinstance(first, Components):
        raise NotExportableError(
            "its inputs are principal components, which no graph computes yet; export a model of "
            "the inputs themselves, or predict with model.predict"
        )
    divisor = first.divisor if isinstance(first, Scaled) else 1.0
    return Divided(divisor)


class Divided(nn.Module):
    """Inputs as they are, or divided by one number.

    Args:
        divisor: what every number is divided by.
    """

    divisor: Tensor

    def __init__(self, divisor: float) -> None:
        super().__init__()
        self.register_buffer("divisor", torch.tensor(divisor, dtype=torch.float32))

    def forward(
        self,
        raw: Raw,
        sources: Tensor,
    ) -> Tensor:
        """``(N, *shape)`` → ``(N, *shape)``."""
        inputs = raw["inputs"].to(torch.float32)
        return inputs / self.divisor


class ScaledVectors(nn.Module):
    """Arrays ``(N, D)`` scaled.

    Args:
        fitted: on each of the sources.
    """

    def __init__(self, fitted: Sequence[Any]) -> None:
        super().__init__()
        self.numbers = ScaledNumbers(fitted)

    def forward(
        self,
        raw: Raw,
        sources: Tensor,
    ) -> Tensor:
        """``(N, D)`` → ``(N, features)``."""
        scaled: Tensor = self.numbers(raw["inputs"], sources)
        return scaled
