"""Numbers scaled as a module; a row for all tasks, or each source's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from softshare.models.export.refusal import NotExportableError
from softshare.tasks.finite import LARGEST


class ScaledNumbers(nn.Module):
    """Numbers, filled in where they are missing, scaled, and indicators: :class:`Vectors`.

    Args:
        fitted: on each of the sources.

    Raises:
        NotExportableError: they make different features.
    """

    fill: Tensor
    mean: Tensor
    std: Tensor
    indicated: Tensor
    largest: Tensor

    def __init__(self, fitted: Sequence[Any]) -> None:
        super().__init__()
        first = fitted[0]
        for one in fitted:
            same = (len(one.names), one.indicated) == (len(first.names), first.indicated)
            if not same:
                raise NotExportableError(
                    "values are missing in other inputs of one task than of another; export each "
                    "task by itself"
                )
        self.register_buffer("fill", table_of([one.fill for one in fitted]))
        self.register_buffer("mean", table_of([one.mean for one in fitted]))
        self.register_buffer("std", table_of([one.std for one in fitted]))
        self.register_buffer("indicated", torch.tensor(first.indicated, dtype=torch.int64))
        self.register_buffer("largest", torch.tensor(LARGEST, dtype=torch.float64))

    def forward(
        self,
        values: Tensor,
        sources: Tensor,
    ) -> Tensor:
        """``(N, C)`` and ``(N,)`` → ``(N, C + indicators)``."""
        fill = self._of(self.fill, sources)
        mean = self._of(self.mean, sources)
        std = self._of(self.std, sources)
        missing = torch.isnan(values)
        filled = torch.where(
            missing,
            fill,
            values,
        )
        scaled = (filled - mean) / std
        scaled = torch.minimum(scaled, self.largest)
        scaled = torch.maximum(scaled, -self.largest)
        features = scaled.to(torch.float32)
        if not len(self.indicated):
            return features
        indicators = missing.to(torch.float32).index_select(1, self.indicated)
        return torch.cat([features, indicators], dim=1)

    def _of(
        self,
        table: Tensor,
        sources: Tensor,
    ) -> Tensor:
        """A row for all, or each row's own."""
        return table if len(table) == 1 else table.index_select(0, sources)


def table_of(rows: Sequence[Any]) -> Tensor:
    """Numbers in double precision."""
    return torch.tensor(rows, dtype=torch.float64)


def numbers_of(places: Sequence[int]) -> Tensor:
    """Places as whole numbers."""
    return torch.tensor(places, dtype=torch.int64)
