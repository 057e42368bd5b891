"""Means of several tasks, of which those of few rows borrow from the others in proportion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_VARIANCE = 1e-12
"""Within tasks, in squares of the common mean: below it a task's own mean would be all there is."""


@dataclass(frozen=True, eq=False)
class Credibility:
    """Each task's mean as (Σ own values + k × common mean) / (own rows + k).

    The k rows that the common mean counts for are the variance within tasks over the variance of
    the tasks' means (Bühlmann & Straub 1970, "Glaubwürdigkeit für Schadensätze"): the linear
    estimate of least squared error, whatever the values' distribution.

    Args:
        sums: of every task's values, ``(T,)``.
        counts: its rows, ``(T,)``.
        mean: of all values.
        strength: k; infinite where the tasks' means differ by no more than chance.
    """

    sums: np.ndarray
    counts: np.ndarray
    mean: float
    strength: float

    @classmethod
    def of(
        cls, values: np.ndarray, tasks: np.ndarray, blocks: np.ndarray, n_tasks: int
    ) -> Credibility:
        """Estimate k by the moments of the values.

        Args:
            values: ``(N,)``.
            tasks: each value's task, ``(N,)``.
            blocks: equal numbers stand for values of one task that are no independent draws (see
                :func:`blocks_of`), ``(N,)``.
            n_tasks: of all tasks; some may have no value.
        """
        sums = np.bincount(
            tasks,
            weights=values,
            minlength=n_tasks,
        )
        counts = np.bincount(tasks, minlength=n_tasks).astype(np.float64)
        mean = float(values.mean())
        # A block's mean is the draw, which counts for as many rows as it has.
        first = np.unique(blocks, return_index=True)[1]
        of_block = np.bincount(blocks)
        block_means = np.bincount(blocks, weights=values) / of_block
        strength = _strength(
            block_means,
            of_block,
            tasks[first],
            (sums, counts, mean),
        )
        return cls(
            sums,
            counts,
            mean,
            strength,
        )

    def means(self) -> np.ndarray:
        """Every task's mean, the common one for those without a value, ``(T,)``."""
        return self._drawn(self.sums, self.counts)

    def means_without_own(
        self, values: np.ndarray, tasks: np.ndarray, blocks: np.ndarray
    ) -> np.ndarray:
        """For every value the mean of its task without its own block, ``(N,)``.

        A value stands to this mean as a new one stands to its task's whole mean.
        """
        own_sums = np.bincount(blocks, weights=values)[blocks]
        own_counts = np.bincount(blocks)[blocks]
        return self._drawn(self.sums[tasks] - own_sums, self.counts[tasks] - own_counts)

    def _drawn(
        self,
        sums: np.ndarray,
        counts: np.ndarray,
    ) -> np.ndarray:
        if np.isinf(self.strength):
            return np.full(len(sums), self.mean)
        return np.asarray((sums + self.strength * self.mean) / (counts + self.strength))


def blocks_of(tasks: np.ndarray, units: np.ndarray) -> np.ndarray:
    """A number for each task's rows of one unit (a group, or a row), ``(N,)``."""
    pairs = np.stack([tasks, units], axis=1)
    numbers: np.ndarray = np.unique(
        pairs,
        axis=0,
        return_inverse=True,
    )[1].reshape(-1)
    return numbers


def _strength(
    block_means: np.ndarray,
    of_block: np.ndarray,
    task_of_block: np.ndarray,
    totals: tuple[np.ndarray, np.ndarray, float],
) -> float:
    """The strength k by the unbiased moments of Bühlmann and Straub."""
    sums, counts, mean = totals
    known = counts > 0
    task_means = np.where(
        known,
        sums / np.maximum(counts, 1),
        mean,
    )
    squares = of_block * (block_means - task_means[task_of_block]) ** 2
    df_within = len(block_means) - known.sum()
    df_between = known.sum() - 1
    if df_within < 1 or df_between < 1:
        return np.inf
    within = max(squares.sum() / df_within, LEAST_VARIANCE * mean**2)
    spread = (counts * (task_means - mean) ** 2).sum()
    rows = counts.sum() - (counts**2).sum() / counts.sum()
    between = (spread - df_between * within) / rows
    return float(within / between) if between > 0 else np.inf
