"""Distributions of sizes, as they are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_VALUES = 10_000
"""Kept of a distribution: a level is met to 0.0001."""

ROUNDING = 1e-9
"""Of shares that are sums of many."""


@dataclass(
    frozen=True,
    eq=False,
)
class Sizes:
    """A distribution of sizes.

    Args:
        values: in rising order, ``(M,)``.
        shares: the part of the weight that lies at each value or below, ``(M,)``.
    """

    values: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(
        cls,
        values: np.ndarray,
        weights: np.ndarray,
    ) -> Sizes:
        """From values ``(N,)`` and how much each counts, ``(N,)``."""
        order = np.argsort(
            values,
            kind="stable",
        )
        shares = np.cumsum(weights[order]) / weights.sum()
        if len(values) > MOST_VALUES:
            kept = (
                np.arange(
                    1,
                    MOST_VALUES + 1,
                )
                / MOST_VALUES
            )
            places = np.searchsorted(
                shares,
                kept - ROUNDING,
            )
            return cls(
                values[order][places],
                kept,
            )
        return cls(
            values[order],
            shares,
        )

    def quantile(self, level: float) -> float:
        """The least value with so large a share at it or below."""
        place = int(
            np.searchsorted(
                self.shares,
                level - ROUNDING,
            )
        )
        return float(
            self.values[
                min(
                    place,
                    len(self.values) - 1,
                )
            ]
        )
