"""Weights of contestants from their out-of-fold outputs, by the metric that is reported.

out-of-fold outputs ──► tasks that joining hurts ──────────► their apart contestant
  (N, M[, C])       └─► the others: one set of weights ──► moved by each task's own losses
                                      (M,)                            (T, M)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from softshare.shallow.common_weights import Goal, common_weights
from softshare.shallow.joining import hurt_tasks, loss_of_joining
from softshare.shallow.rows import Array, Codes, Kind, row_losses
from softshare.shallow.scores import Metric, score
from softshare.shallow.trust import gain_and_error, trusted_weights

# How fast a task's own losses move its weights from the common ones; 0 does not move them.
RATES = (0.0, 0.03, 0.1, 0.3, 1.0)
# Standard errors of a gain that own weights are worth: by chance alone one time in 40.
SURE = 2.0
# Parts of the rows that judge a rate in turn.
N_FOLDS = 5


@dataclass(frozen=True)
class Stack:
    """How much of each contestant each task's answer is.

    Attributes:
        weights: Not negative, of sum 1 in each row. Shape (T, M).
        common: The weights that tasks are shrunk to. Shape (M,).
        rate: How fast a task's own losses moved its weights away from them.
        apart: True for the tasks that keep their apart model. Shape (T,).
        p_values: Of the test that all that is joint hurts the task, NaN untested. Shape (T,).
    """

    weights: Array
    common: Array
    rate: float
    apart: np.ndarray
    p_values: Array

    def combine(
        self,
        outputs: Array,
        tasks: Codes,
    ) -> Array:
        """The weighted sum of outputs. Shapes: (N, M[, C]) and (N,) to (N[, C]).

        A task never seen (−1) gets the common weights.
        """
        weights = np.vstack([self.weights, self.common])[tasks]
        return np.asarray(np.einsum("nm,nm...->n...", weights, outputs))


@dataclass(frozen=True)
class _Held:
    """Rows that no contestant was trained on, with what each contestant says and loses."""

    outputs: Array  # (N, M) or (N, M, C)
    losses: Array  # (N, M)
    targets: Array
    tasks: Codes
    groups: Codes | None
    counts: Array | None

    def take(self, which: np.ndarray) -> _Held:
        """The rows where ``which`` is true."""
        groups = None if self.groups is None else self.groups[which]
        counts = None if self.counts is None else self.counts[which]
        return _Held(
            self.outputs[which],
            self.losses[which],
            self.targets[which],
            self.tasks[which],
            groups,
            counts,
        )


def stack(
    outputs: Array,
    targets: Array,
    tasks: Codes,
    *,
    kind: Kind,
    metric: Metric,
    pooled: int,
    apart: int | None = None,
    groups: Codes | None = None,
    counts: Array | None = None,
    random_state: int = 0,
) -> Stack:
    """Weigh contestants by outputs for rows that they were not trained on.

    First, tasks that everything joint would hurt keep their apart model. The others get common
    weights, as far as the rows bear them out; or, where that is surely better, each its own, moved
    from the common ones by its losses.

    Args:
        outputs: Out-of-fold means, log-odds or logits of M contestants. Shape (N, M) or (N, M, C).
        targets: Shape (N,).
        tasks: Whole numbers from 0. Shape (N,).
        kind: What the targets are.
        metric: What is reported.
        pooled: The contestant that every greedy choice starts with.
        apart: The contestant that tasks may keep to; None: none may.
        groups: Rows of one group say little more than one: they count as one when harm is tested,
            and are held out together when own weights are judged. Shape (N,).
        counts: How much each row counts; None: all the same. Shape (N,).
        random_state: Draws the tasks of the restarts.
    """
    n_tasks = int(tasks.max()) + 1
    n_contestants = outputs.shape[1]
    goal = Goal(kind, metric, pooled, random_state)
    losses = _losses(outputs, targets, kind)
    everything = _Held(
        outputs,
        losses,
        targets,
        tasks,
        groups,
        counts,
    )
    kept, p_values = _hurt(everything, goal, apart)
    only_apart = np.eye(n_contestants)[pooled if apart is None else apart]
    if kept[tasks].all():
        weights = np.tile(only_apart, (n_tasks, 1))
        return Stack(
            weights,
            only_apart,
            0.0,
            kept,
            p_values,
        )

    # Tasks that keep apart have no say in the others' weights.
    if apart is not None:
        # A model of a task's few rows that predicts one of them well from another predicts that
        # well from the first: its losses on a task's other rows tell of the very row held out.
        losses[:, apart] = np.average(losses[:, apart], weights=counts)
    rest = everything.take(~kept[tasks])
    common, rate = _common_and_rate(rest, goal)
    weights = np.tile(common, (n_tasks, 1))
    own = _own_weights(rest, rest.losses, common, rate)
    weights[: len(own)] = own
    weights[kept] = only_apart
    return Stack(
        weights,
        common,
        rate,
        kept,
        p_values,
    )


def _common_and_rate(rows: _Held, goal: Goal) -> tuple[Array, float]:
    """The common weights ``(M,)``, and how fast own losses move a task's from them."""
    best = common_weights(rows.outputs, rows.targets, rows.tasks, goal, rows.counts)
    trusted = trusted_weights(
        best,
        rows.outputs,
        rows.targets,
        rows.tasks,
        goal,
        groups=rows.groups,
        counts=rows.counts,
    )
    rate = _chosen_rate(rows, goal, best, trusted)
    return (best if rate > 0 else trusted), rate


def _hurt(rows: _Held, goal: Goal, apart: int | None) -> tuple[np.ndarray, Array]:
    """Which tasks everything joint would hurt ``(T,)``, and the p-values of it ``(T,)``."""
    n_tasks = int(rows.tasks.max()) + 1
    if apart is None or apart == goal.pooled:
        return np.zeros(n_tasks, dtype=bool), np.full(n_tasks, np.nan)
    worse = loss_of_joining(
        rows.outputs,
        rows.targets,
        rows.tasks,
        goal=goal,
        apart=apart,
        counts=rows.counts,
    )
    return hurt_tasks(worse, rows.tasks, n_tasks, rows.groups, rows.counts)


def _losses(
    outputs: Array,
    targets: Array,
    kind: Kind,
) -> Array:
    """Each contestant's loss of each row. Shape (N, M)."""
    n_contestants = outputs.shape[1]
    losses = np.empty((len(targets), n_contestants))
    for one in range(n_contestants):
        losses[:, one] = row_losses(outputs[:, one], targets, kind)
    return losses


def _own_weights(
    rows: _Held,
    losses: Array,
    common: Array,
    rate: float,
) -> Array:
    """Each task's weights, w_tm ∝ w_m exp(−rate Σ losses of its rows). Shape (T, M).

    The weights of a posterior whose prior is the common ones: few rows hardly move them. Losses
    count in units of the best contestant's mean, and against the mean over all tasks, so that a
    contestant that is good everywhere is not counted twice.
    """
    n_tasks = int(rows.tasks.max()) + 1
    means = np.average(losses, axis=0, weights=rows.counts)
    unit = max(means.min(), 1e-300)
    sums = np.zeros((n_tasks, losses.shape[1]))
    away = losses - means
    if rows.counts is not None:
        away = away * rows.counts[:, None]
    np.add.at(sums, rows.tasks, away)

    # A contestant that the common weights leave out stays out.
    used = common > 0
    powers = (-rate * sums / unit)[:, used]
    # Only differences count: the largest power is 0, and no exponential overflows.
    powers = powers - powers.max(axis=1, keepdims=True)
    weights = np.zeros_like(sums)
    weights[:, used] = common[used] * np.exp(powers)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _chosen_rate(rows: _Held, goal: Goal, best: Array, trusted: Array) -> float:
    """The rate with the best metric on rows whose losses did not move their task's weights.

    Own weights move from the best common ones, and have to be surely better than the trusted ones
    alone: of several rates on few rows one is always a little better.
    """
    answers = {rate: _cross_fitted(rows, best, rate) for rate in RATES if rate > 0}
    values = {}
    for rate, answer in answers.items():
        values[rate] = score(
            goal.metric,
            answer,
            rows.targets,
            rows.tasks,
            goal.kind,
            rows.counts,
        )
    rate = max(values, key=values.__getitem__)
    gain, error = gain_and_error(
        answers[rate],
        np.einsum("m,nm...->n...", trusted, rows.outputs),
        rows.targets,
        rows.tasks,
        goal,
        groups=rows.groups,
        counts=rows.counts,
    )
    return rate if gain > SURE * error else 0.0


def _cross_fitted(rows: _Held, common: Array, rate: float) -> Array:
    """What own weights say of rows whose losses did not move them. Shape (N,) or (N, C)."""
    folds = _folds(rows.tasks, rows.groups)
    everyone = np.average(rows.losses, axis=0, weights=rows.counts)
    combined = np.empty((len(folds), *rows.outputs.shape[2:]))
    for fold in range(N_FOLDS):
        is_held = folds == fold
        # A held-out row has the mean loss, which moves nothing.
        others = np.where(is_held[:, None], everyone, rows.losses)
        own = _own_weights(rows, others, common, rate)
        held = own[rows.tasks[is_held]]
        combined[is_held] = np.einsum("nm,nm...->n...", held, rows.outputs[is_held])
    return combined


def _folds(tasks: Codes, groups: Codes | None) -> Codes:
    """A fifth of every task's rows in each fold, or whole groups. Shape (N,)."""
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
        return codes % N_FOLDS
    order = np.argsort(tasks, kind="stable")
    folds = np.empty(len(tasks), dtype=np.int64)
    folds[order] = np.arange(len(tasks)) % N_FOLDS
    return folds
