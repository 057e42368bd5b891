"""How far weights are trusted: by as much as they gain beside the scatter of that gain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from softshare.shallow.common_weights import Goal
from softshare.shallow.rows import Array, Codes
from softshare.shallow.scores import score

# Draws of the rows. A scatter from so many is right to a tenth.
N_DRAWS = 60

ROWS_BEFORE = 20
"""So many rows, or groups, are taken to have said before that nothing is gained.

Who learned has mostly chosen something by the same rows, such as when a network stops, so that a
gain on seventeen of them may be chance however sure it looks; of a thousand that does not matter.
The number is chosen on the development tables (``docs/few-rows.md``).
"""


def trusted_weights(
    weights: Array,
    outputs: Array,
    targets: Array,
    tasks: Codes,
    goal: Goal,
    *,
    groups: Codes | None = None,
    counts: Array | None = None,
) -> Array:
    """Weights drawn towards the pooled contestant, as far as the rows do not bear them out.

    Of two combinations that the rows can hardly tell apart the better one on these rows is often
    the worse one on others. The gain over the pooled contestant by the reported metric is g, its
    standard error over draws of the N rows (or groups) s, and with 20 rows more that gain nothing
    g' = g N / (N + 20): a part 2 Φ(g' / s) − 1 of the way from the pooled contestant to the weights
    is gone, none where they gain nothing.

    Args:
        weights: Shape (M,).
        outputs: Out-of-fold, of M contestants. Shape (N, M) or (N, M, C).
        targets: Shape (N,).
        tasks: Shape (N,).
        goal: The metric, and which contestant is pooled.
        groups: Rows of one group are drawn together. Shape (N,).
        counts: How much each row counts; None: all the same. Shape (N,).

    Shape:
        (M,).
    """
    combined = np.einsum("m,nm...->n...", weights, outputs)
    gain, error = gain_and_error(
        combined,
        outputs[:, goal.pooled],
        targets,
        tasks,
        goal,
        groups=groups,
        counts=counts,
    )
    n_rows = len(targets) if groups is None else len(np.unique(groups))
    part = trust(gain * borne_out(n_rows), error)
    only_pooled = np.eye(len(weights))[goal.pooled]
    return np.asarray(only_pooled + part * (weights - only_pooled))


def gain_and_error(
    better: Array,
    other: Array,
    targets: Array,
    tasks: Codes,
    goal: Goal,
    *,
    groups: Codes | None = None,
    counts: Array | None = None,
) -> tuple[float, float]:
    """What one answer gains over another by the reported metric, and its standard error.

    Args:
        better: Outputs. Shape (N,) or (N, C).
        other: Likewise.
        targets: Shape (N,).
        tasks: Shape (N,).
        goal: The metric.
        groups: Rows of one group are drawn together. Shape (N,).
        counts: How much each row counts; None: all the same. Shape (N,).
    """

    def gain(rows: Codes | slice) -> float:
        scores = []
        for answer in (better, other):
            scores.append(
                score(
                    goal.metric,
                    answer[rows],
                    targets[rows],
                    tasks[rows],
                    goal.kind,
                    None if counts is None else counts[rows],
                )
            )
        return scores[0] - scores[1]

    gains = [gain(rows) for rows in _draws(len(targets), groups, goal.random_state)]
    return gain(slice(None)), float(np.std(gains))


def trust(gain: float, error: float) -> float:
    """How far a gain is to be trusted beside its standard error, from 0 to 1: 2 Φ(g / s) − 1, and
    not at all where nothing is gained.
    """
    if gain <= 0:
        return 0.0
    return float(2 * norm.cdf(gain / max(error, 1e-300)) - 1)


def borne_out(n_rows: int) -> float:
    """The share of what so many rows, or groups, say that is left beside :data:`ROWS_BEFORE`."""
    return n_rows / (n_rows + ROWS_BEFORE)


def _draws(n_rows: int, groups: Codes | None, seed: int) -> Iterator[Codes]:
    """Rows, or whole groups, drawn with replacement."""
    generator = np.random.default_rng(seed)
    if groups is None:
        for _ in range(N_DRAWS):
            yield generator.integers(n_rows, size=n_rows)
        return
    codes = np.unique(groups, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))[:-1]
    members = np.split(order, ends)
    for _ in range(N_DRAWS):
        drawn = generator.integers(len(members), size=len(members))
        yield np.concatenate([members[group] for group in drawn])
