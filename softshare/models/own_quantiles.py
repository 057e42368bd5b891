"""Quantiles of tasks whose residuals differ in form and not in scale alone.

Of grades from 1 to 5 a width may hold all of one task's rows and miss every 1 of another's,
whatever the scale. A task's distribution is then that of all tasks and of its own rows, (n F_own +
k F_all) / (n + k): the mean of a Dirichlet process (Ferguson 1973) in which all tasks count for k
rows. How many these are is told by how far the tasks' parts of rows within the common quantile
differ beyond chance; where they do not, all have that quantile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from softshare.models.credibility import Credibility
from softshare.models.sizes import ROUNDING, Sizes

USUAL_LEVEL = 0.9
"""At whose quantile tasks are compared."""


@dataclass(
    frozen=True,
    eq=False,
)
class OwnQuantiles:
    """Distributions of tasks, of which those of few rows borrow from all.

    Args:
        common: of all tasks.
        places: of every own value among the common ones, rising within each task, ``(N,)``.
        offsets: where each task's places begin, ``(T + 1,)``.
        strength: the k rows that all tasks count for.
    """

    common: Sizes
    places: np.ndarray
    offsets: np.ndarray
    strength: float

    @classmethod
    def of(
        cls,
        common: Sizes,
        values: np.ndarray,
        tasks: np.ndarray,
        blocks: np.ndarray,
        n_tasks: int,
    ) -> OwnQuantiles | None:
        """From all tasks' values; None where they do not differ in form.

        Args:
            common: their distribution.
            values: ``(N,)``.
            tasks: each value's task, ``(N,)``.
            blocks: values of one block are no independent draws, ``(N,)``.
            n_tasks: of all tasks; some may have no value.
        """
        within = (values <= common.quantile(USUAL_LEVEL)).astype(np.float64)
        strength = Credibility.of(
            within,
            tasks,
            blocks,
            n_tasks,
        ).strength
        if np.isinf(strength):
            return None
        places = np.searchsorted(
            common.values,
            values,
        )
        places = np.minimum(
            places,
            len(common.values) - 1,
        )
        order = np.lexsort((places, tasks))
        counts = np.bincount(
            tasks,
            minlength=n_tasks,
        )
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return cls(
            common,
            places[order],
            offsets,
            strength,
        )

    def quantiles(self, level: float) -> np.ndarray:
        """Every task's, with what one more row may change, ``(T,)``."""
        counts = np.diff(self.offsets)
        total = counts + self.strength
        wanted = (
            np.minimum(
                level * (1 + 1 / total),
                1.0,
            )
            * total
        )
        n_common = len(self.common.values)
        numbers = np.arange(len(counts))
        keys = (
            np.repeat(
                numbers,
                counts,
            )
            * n_common
            + self.places
        )
        low = np.zeros(
            len(counts),
            dtype=np.int64,
        )
        high = np.full(
            len(counts),
            n_common - 1,
        )
        while (low < high).any():
            middle = (low + high) // 2
            own = np.searchsorted(
                keys,
                numbers * n_common + middle,
                side="right",
            )
            reached = own - self.offsets[:-1] + self.strength * self.common.shares[middle]
            enough = reached >= wanted - ROUNDING * total
            high = np.where(
                enough,
                middle,
                high,
            )
            low = np.where(
                enough,
                low,
                np.minimum(
                    middle + 1,
                    high,
                ),
            )
        return np.asarray(self.common.values[low])
