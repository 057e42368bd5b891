"""Intervals of gains: from the spread over seeds, over test rows where these are given, and over
all tasks where one task's seeds are too few to tell its own.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, special, stats

MIN_SEEDS = 3
"""Fewer show a direction and no more: two give one degree of freedom, and intervals that are wider
than any gain."""

MIN_POOLED = 5
"""So many tasks are needed to tell how much their variances differ."""

MOST_SEEDS = 1000
_NO_WIDTH = 1e-9


def moderated(variances: np.ndarray, df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances of several tasks, each drawn towards what all have in common.

    The empirical Bayes estimate of Smyth (2004, "Linear models and empirical Bayes methods for
    assessing differential expression", eq. 3.7): the tasks' true variances come from a scaled
    inverse χ² distribution with ``d₀`` degrees of freedom around ``s₀²``, both of which the sample
    variances tell, and a task's variance is ``(d₀ s₀² + d s²) / (d₀ + d)`` with ``d₀ + d`` degrees
    of freedom. Tasks that are alike in scatter are pooled wholly, others hardly. A variance of 0,
    as seeds of equal accuracy on three rows have it, tells nothing of ``d₀`` and ``s₀²``, but is
    drawn towards them too.

    Args:
        variances: over the seeds, ``(T,)``.
        df: degrees of freedom of each, ``(T,)``.

    Returns:
        The variances, and the degrees of freedom that they now have.
    """
    counted = df > 0
    known = counted & (variances > _NO_WIDTH**2)
    if known.sum() < MIN_POOLED:
        return variances, df
    prior, prior_df = _prior(variances[known], df[known])
    if np.isinf(prior_df):
        drawn = np.full(len(variances), prior)
    else:
        weighted = prior_df * prior + df * variances
        drawn = weighted / (prior_df + df)
    # All variances together have no more degrees of freedom than went into them.
    most_df = df[counted].sum()
    drawn_df = np.minimum(df + prior_df, most_df)
    return np.where(
        counted,
        drawn,
        variances,
    ), np.where(counted, drawn_df, df)


def _prior(variances: np.ndarray, df: np.ndarray) -> tuple[float, float]:
    """``s₀²`` and ``d₀`` by the moments of log s² (Smyth 2004, section 6.2)."""
    half = df / 2
    # log s² is log σ² plus a variable of mean digamma(d / 2) - log(d / 2) ...
    logs = np.log(variances)
    logs = logs - special.digamma(half)
    logs = logs + np.log(half)
    mean = logs.mean()
    # ... and of variance trigamma(d / 2): what is left is how much the true variances differ.
    noise = special.polygamma(1, half).mean()
    excess = float(logs.var(ddof=1) - noise)
    if excess <= _NO_WIDTH:  # by no more than chance: one variance for all tasks
        return float(np.exp(mean)), np.inf
    half_prior_df = _inverse_trigamma(excess)
    shift = special.digamma(half_prior_df) - np.log(half_prior_df)
    prior = float(np.exp(mean + shift))
    return prior, 2 * half_prior_df


def half_widths(
    variances: np.ndarray,
    df: np.ndarray,
    n_seeds: np.ndarray,
    *,
    rows: np.ndarray,
    rows_df: np.ndarray,
    level: float,
) -> np.ndarray:
    """Half the width of the interval of each mean gain; NaN where none can be given.

    With given test rows the variance of a mean over ``n`` seeds is ``s² / n`` plus what other rows
    would change, with the degrees of freedom of their sum (Satterthwaite 1946). What seeds and rows
    do together is counted in both, so that the intervals are rather too wide than too narrow.

    Args:
        variances: of a gain over seeds.
        df: degrees of freedom of each.
        n_seeds: behind each mean.
        rows: variance of each mean over test rows; 0 where every seed draws other rows.
        rows_df: degrees of freedom of each.
        level: coverage.
    """
    of_seeds = variances / np.maximum(n_seeds, 1)
    total = of_seeds + rows
    enough = n_seeds >= MIN_SEEDS
    given = enough & (total > _NO_WIDTH**2)
    total = np.where(given, total, 1.0)
    # Satterthwaite: (a + b)² / (a² / df_a + b² / df_b)
    part_of_seeds = of_seeds**2 / np.maximum(df, 1)
    part_of_rows = rows**2 / np.maximum(rows_df, 1)
    parts = part_of_seeds + part_of_rows
    parts = np.where(given, parts, 1.0)
    total_df = total**2 / parts
    quantile = stats.t.ppf((1 + level) / 2, total_df)
    half = quantile * np.sqrt(total)
    return np.where(given, half, np.nan)


def seeds_to_decide(
    gain: float,
    variance: float,
    rows: float,
    *,
    level: float,
) -> int | None:
    """With how many seeds in all the interval would exclude 0, if gain and variances stay; None
    where no number of them would.

    Args:
        gain: the mean.
        variance: of a gain over seeds.
        rows: variance of the mean over test rows, which seeds do not lessen.
        level: coverage of the interval.
    """
    n = np.arange(MIN_SEEDS, MOST_SEEDS + 1)
    quantile = stats.t.ppf((1 + level) / 2, n - 1)
    total = variance / n + rows
    half = quantile * np.sqrt(total)
    enough = half < abs(gain)
    if not enough.any():
        return None
    first = enough.argmax()
    return int(n[first])


def _inverse_trigamma(value: float) -> float:
    """The x with trigamma(x) = value; trigamma falls from ∞ to 0."""

    def above(log_x: float) -> float:
        return float(special.polygamma(1, np.exp(log_x))) - value

    root = optimize.brentq(
        above,
        np.log(1e-8),
        np.log(1e12),
    )
    return float(np.exp(root))
