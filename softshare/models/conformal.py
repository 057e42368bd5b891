"""Intervals for numbers, as wide as rows that were held out show them to have to be.

A conformal interval holds a new row as often as promised whatever the model, as long as new rows
come as the held-out ones did (Vovk, Gammerman & Shafer 2005; Lei et al. 2018, "Distribution-free
predictive inference for regression"). One width for all tasks would hold too much of the quiet
ones and too little of the noisy ones, and a width of a task's own would hang on its few rows.
Residuals are therefore counted in their task's scale, which is partially pooled, and the scaled
residuals of all tasks give one quantile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from softshare.models.credibility import Credibility, blocks_of
from softshare.models.own_quantiles import OwnQuantiles
from softshare.models.sizes import ROUNDING, Sizes


@dataclass(frozen=True, eq=False)
class Intervals:
    """How far predictions of numbers may be off.

    Args:
        scales: the mean size of each task's residuals, partially pooled, ``(T,)``.
        scaled: sizes of held-out residuals in the scale of their task without them.
        n_units: independent ones among these: groups, or rows.
        new: sizes of the residuals that rows of a task that was not learned have; None where there
            are none to tell.
        new_deviation: root of the mean square of these.
        new_df: degrees of freedom behind it.
        own: quantiles of each task, where tasks differ in form and not in scale alone.
    """

    scales: np.ndarray
    scaled: Sizes
    n_units: int
    new: Sizes | None = None
    new_deviation: float = 0.0
    new_df: float = 0.0
    own: OwnQuantiles | None = None

    @classmethod
    def of(
        cls,
        residuals: np.ndarray,
        tasks: np.ndarray,
        units: np.ndarray,
        n_tasks: int,
        *,
        as_new: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> Intervals:
        """Fit them to residuals on rows that were held out.

        Args:
            residuals: ``(N,)``.
            tasks: each row's task, ``(N,)``.
            units: each row's group, or a number of its own, ``(N,)``.
            n_tasks: of all tasks; some may have no row.
            as_new: residuals that the same rows would have, were their task not known, ``(N,)``.
            weights: how much each row counts, ``(N,)``; None: all the same.
        """
        sizes = np.abs(residuals)
        blocks = blocks_of(tasks, units)
        credibility = Credibility.of(
            sizes,
            tasks,
            blocks,
            n_tasks,
        )
        # A new row's scale comes from rows that are not the row itself: so must these rows' be, for
        # the new one to be one more of them. Rows of a group count as little for each other.
        scales = credibility.means_without_own(
            sizes,
            tasks,
            blocks,
        )
        scaled = np.divide(
            sizes,
            scales,
            out=np.zeros(len(sizes)),
            where=scales > 0,
        )
        known = Sizes.of(scaled, np.ones(len(scaled)) if weights is None else weights)
        n_units = len(np.unique(units))
        own = OwnQuantiles.of(
            known,
            scaled,
            tasks,
            blocks,
            n_tasks,
        )
        if as_new is None or len(np.unique(tasks)) < 2:
            return cls(
                credibility.means(),
                known,
                n_units,
                own=own,
            )
        new, deviation, df = _sizes_of_new(as_new, tasks)
        return cls(
            credibility.means(),
            known,
            n_units,
            new,
            deviation,
            df,
            own,
        )

    def half_widths(
        self,
        numbers: np.ndarray,
        level: float,
    ) -> np.ndarray:
        """By how much each row's interval goes up and down.

        Args:
            numbers: each row's task, -1 where it was not learned, ``(N,)``.
            level: the part of new rows that the intervals are to hold.

        Shape:
            ``(N,)``; infinite for a new task where nothing tells how far tasks differ.
        """
        quantiles = self._known(level) if self.own is None else self.own.quantiles(level)[numbers]
        widths = self.scales[numbers] * quantiles
        return np.where(
            numbers < 0,
            self._new(level),
            widths,
        )

    def _known(self, level: float) -> float:
        """A new unit falls into each of the n + 1 gaps between the held-out ones alike."""
        share = level * (1 + 1 / self.n_units)
        if share <= 1 + ROUNDING:
            return self.scaled.quantile(share)
        # So few units show no further than n / (n + 1); Student's t goes on from there.
        df = max(self.n_units - 1, 1)
        shown = self.n_units / (self.n_units + 1)
        beyond = t.ppf((1 + level) / 2, df) / t.ppf((1 + shown) / 2, df)
        return float(self.scaled.quantile(1.0) * beyond)

    def _new(self, level: float) -> float:
        if self.new is None:
            return np.inf
        tail = (1 + level) / 2
        # Few tasks hardly show a tail: at least that of a normal distribution is taken for theirs.
        least = norm.ppf(tail) * self.new_deviation
        widest = max(self.new.quantile(level), least)
        return float(widest * t.ppf(tail, self.new_df) / norm.ppf(tail))


def _sizes_of_new(residuals: np.ndarray, tasks: np.ndarray) -> tuple[Sizes, float, float]:
    """Sizes of residuals of a task that was not learned, the root of their mean square, and the
    degrees of freedom behind it.

    Every task is one draw, and counts the same. Its residuals are around a mean of the task's own,
    and what the T tasks have in common was learned from them: the means vary by τ² (1 − 1/T) around
    it where those of new tasks vary by τ² (1 + 1/T).

    Args:
        residuals: of rows as of a task that is not known, ``(N,)``.
        tasks: ``(N,)``.
    """
    codes, counts = np.unique(
        tasks,
        return_inverse=True,
        return_counts=True,
    )[1:]
    n_tasks = len(counts)
    means = np.bincount(codes, weights=residuals) / counts
    inner = residuals - means[codes]
    wider = np.sqrt((n_tasks + 1) / (n_tasks - 1))
    sizes = np.abs(inner + wider * means[codes])
    df_within = len(residuals) - n_tasks
    within = (inner**2).sum() / max(df_within, 1)
    between = max(float((means**2).mean() - within * (1 / counts).mean()), 0.0)
    # Satterthwaite 1946: of the sum of two variances that are estimated apart
    of_parts = between**2 / (n_tasks - 1) + within**2 / max(df_within, 1)
    df = (between + within) ** 2 / of_parts if of_parts > 0 else float(n_tasks - 1)
    weights = 1 / counts[codes]
    deviation = np.sqrt((weights * sizes**2).sum() / weights.sum())
    return Sizes.of(sizes, weights), float(deviation), max(df, 1.0)
