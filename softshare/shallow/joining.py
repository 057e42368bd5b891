"""Which tasks everything joint hurts: tests that count rows, or groups where rows come in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from softshare.shallow.common_weights import Goal, common_weights
from softshare.shallow.rows import Array, Codes, row_losses

# The expected share of tasks that keep apart without need.
FALSE_DISCOVERIES = 0.05
# A standard error of fewer differences than these says little.
FEWEST_DIFFERENCES = 4


def loss_of_joining(
    outputs: Array,
    targets: Array,
    tasks: Codes,
    *,
    goal: Goal,
    apart: int,
    counts: Array | None = None,
) -> Array:
    """Each row's loss by the best mix of all joint contestants, less its apart loss.

    Args:
        outputs: Out-of-fold, of M contestants. Shape (N, M) or (N, M, C).
        targets: Shape (N,).
        tasks: Shape (N,).
        goal: The metric that the mix is the best by.
        apart: The contestant that shares nothing.
        counts: How much each row counts; None: all the same. Shape (N,).

    Shape:
        (N,).
    """
    joint = np.delete(outputs, apart, axis=1)
    # Without the apart contestant's column those after it move up by one.
    pooled = goal.pooled - int(goal.pooled > apart)
    weights = common_weights(joint, targets, tasks, replace(goal, pooled=pooled), counts)
    combined = np.einsum("m,nm...->n...", weights, joint)
    joint_losses = row_losses(combined, targets, goal.kind)
    apart_losses = row_losses(outputs[:, apart], targets, goal.kind)
    return joint_losses - apart_losses


def hurt_tasks(
    worse: Array,
    tasks: Codes,
    n_tasks: int,
    groups: Codes | None = None,
    counts: Array | None = None,
) -> tuple[np.ndarray, Array]:
    """Tasks that lose by what is joint: one-sided paired t-tests of all tasks.

    Rows of one group are not independent, and a test that took them for so would find harm in a
    few persons' bad luck: their mean counts as one difference.

    Args:
        worse: Each row's joint loss less its apart loss. Shape (N,).
        tasks: Shape (N,).
        n_tasks: T.
        groups: Shape (N,); None: rows are single.
        counts: How much each row counts; None: all the same. Shape (N,).

    Returns:
        Which tasks keep apart, and the p-values, NaN untested. Shapes (T,).
    """
    p_values = np.full(n_tasks, np.nan)
    for task in range(n_tasks):
        is_own = tasks == task
        differences = worse[is_own]
        own_counts = np.ones(len(differences)) if counts is None else counts[is_own]
        if groups is not None:
            differences, own_counts = _means_of(differences, own_counts, groups[is_own])
        p_values[task] = _p_value(differences, own_counts)
    return _discoveries(p_values), p_values


def _means_of(values: Array, counts: Array, groups: Codes) -> tuple[Array, Array]:
    """The mean of every group that is there, and how much it counts: as its rows in the mean.

    Shape:
        (n,) each to (groups,) each.
    """
    present = np.unique(groups, return_inverse=True)[1]
    totals = np.bincount(present, counts)
    sums = np.bincount(present, values * counts)
    return sums / totals, totals / np.bincount(present)


def _p_value(differences: Array, counts: Array) -> float:
    """Of the t-test that their mean is above 0; NaN where there are too few or all are equal.

    Where some count more, the error is that of a ratio of sums (Cochran 1977, section 2.11): of
    equal counts the usual one.
    """
    n_differences = len(differences)
    if n_differences < FEWEST_DIFFERENCES or differences.std() == 0:
        return np.nan
    shares = counts / counts.sum()
    mean = (shares * differences).sum()
    squares = ((shares * (differences - mean)) ** 2).sum()
    error = np.sqrt(squares * n_differences / (n_differences - 1))
    return float(stats.t.sf(mean / error, n_differences - 1))


def _discoveries(p_values: Array) -> np.ndarray:
    """Which are small enough, with a held share of false alarms (Benjamini and Hochberg 1995).

    Of 160 tasks that learning together helps, eight would otherwise keep apart by chance.

    Shape:
        (T,), true or false.
    """
    found = np.zeros(len(p_values), dtype=bool)
    tested = np.flatnonzero(np.isfinite(p_values))
    if not len(tested):
        return found
    ordered = tested[np.argsort(p_values[tested])]
    ranks = np.arange(1, len(ordered) + 1)
    # The k-th smallest of m may be as large as k / m of the share; the last that is decides.
    allowed = FALSE_DISCOVERIES * ranks / len(ordered)
    passing = np.flatnonzero(p_values[ordered] <= allowed)
    if len(passing):
        n_found = passing[-1] + 1
        found[ordered[:n_found]] = True
    return found
