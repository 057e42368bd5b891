"""Weights of contestants from their out-of-fold outputs, by the metric that is reported."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, stats

from softshare.shallow.rows import Array, Codes, Kind, row_losses
from softshare.shallow.scores import Metric, score

# How fast a task's own losses move its weights from the common ones; 0 does not move them.
RATES = (0.0, 0.03, 0.1, 0.3, 1.0)
# The expected share of tasks that keep apart without need.
FALSE_DISCOVERIES = 0.05
GREEDY_ROUNDS = 20
RESTARTS = 8
# So many rows are enough to try the candidates of a greedy round on.
ROWS_TO_CHOOSE = 20_000


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

    def combine(self, outputs: Array, tasks: Codes) -> Array:
        """The weighted sum of outputs. Shapes: (N, M[, C]) and (N,) to (N[, C]).

        A task never seen (−1) gets the common weights.
        """
        weights = np.vstack([self.weights, self.common])[tasks]
        return np.asarray(np.einsum("nm,nm...->n...", weights, outputs))


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
    random_state: int = 0,
) -> Stack:
    """Weigh contestants by outputs for rows that they were not trained on.

    First, tasks that everything joint would hurt keep their apart model. The others get common
    weights by the metric, and each its own, moved from the common ones by its losses.

    Args:
        outputs: Out-of-fold means, log-odds or logits of M contestants. Shape (N, M) or (N, M, C).
        targets: Shape (N,).
        tasks: Whole numbers from 0. Shape (N,).
        kind: What the targets are.
        metric: What is reported.
        pooled: The contestant that every greedy choice starts with.
        apart: The contestant that tasks may keep to; None: none may.
        groups: Rows of one group say little more than one: they are held out together when own
            weights are judged. Shape (N,).
        random_state: Draws the tasks of the restarts.
    """
    n_tasks, n_contestants = int(tasks.max()) + 1, outputs.shape[1]
    problem = _Problem(kind, metric, pooled, random_state)
    kept, p_values = np.zeros(n_tasks, dtype=bool), np.full(n_tasks, np.nan)
    if apart is not None and apart != pooled:
        worse = _loss_of_joining(outputs, targets, tasks, problem, apart)
        kept, p_values = _hurt(worse, tasks, n_tasks)
    # Tasks that keep apart have no say in the others' weights.
    rest = ~kept[tasks]
    only_apart = np.eye(n_contestants)[pooled if apart is None else apart]
    if not rest.any():
        return Stack(np.tile(only_apart, (n_tasks, 1)), only_apart, 0.0, kept, p_values)
    common = _common_weights(outputs[rest], targets[rest], tasks[rest], problem)
    losses = _losses(outputs, targets, kind)
    rate = _chosen_rate(
        outputs[rest],
        losses[rest],
        targets[rest],
        tasks[rest],
        None if groups is None else groups[rest],
        problem,
        common,
    )
    weights = np.tile(common, (n_tasks, 1))
    own = _own_weights(losses[rest], tasks[rest], common, rate)
    weights[: len(own)] = own
    weights[kept] = only_apart
    return Stack(weights, common, rate, kept, p_values)


@dataclass(frozen=True)
class _Problem:
    """What is predicted, how it is judged, and where choices start."""

    kind: Kind
    metric: Metric
    pooled: int
    random_state: int


def _loss_of_joining(
    outputs: Array, targets: Array, tasks: Codes, problem: _Problem, apart: int
) -> Array:
    """Each row's loss by the best of all joint contestants, less its apart loss. Shape (N,)."""
    joint = np.delete(outputs, apart, axis=1)
    pooled = problem.pooled - (problem.pooled > apart)
    weights = _common_weights(joint, targets, tasks, replace(problem, pooled=pooled))
    combined = np.einsum("m,nm...->n...", weights, joint)
    apart_losses = row_losses(outputs[:, apart], targets, problem.kind)
    return row_losses(combined, targets, problem.kind) - apart_losses


def _losses(outputs: Array, targets: Array, kind: Kind) -> Array:
    """Each contestant's loss of each row. Shape (N, M)."""
    columns = [row_losses(outputs[:, one], targets, kind) for one in range(outputs.shape[1])]
    return np.stack(columns, axis=1)


def _common_weights(outputs: Array, targets: Array, tasks: Codes, problem: _Problem) -> Array:
    """The convex combination with the best metric. Shape (M,)."""
    if problem.metric == "r2":
        return convex_least_squares(outputs, targets)
    generator = np.random.default_rng(problem.random_state)
    n_tasks = int(tasks.max()) + 1
    total = np.zeros(outputs.shape[1])
    for _ in range(RESTARTS):
        # Each restart sees two thirds of the tasks: their mean is less greedy than one run.
        some = generator.permutation(n_tasks)[: max(2 * n_tasks // 3, 1)]
        rows = np.flatnonzero(np.isin(tasks, some) | (n_tasks < 6))
        if len(rows) > ROWS_TO_CHOOSE:
            rows = generator.choice(rows, ROWS_TO_CHOOSE, replace=False)
        total += greedy_weights(
            outputs[rows],
            targets[rows],
            tasks[rows],
            kind=problem.kind,
            metric=problem.metric,
            pooled=problem.pooled,
        )
    return total / RESTARTS


def convex_least_squares(outputs: Array, targets: Array) -> Array:
    """W ≥ 0 of sum 1 with the least squared error. Shapes: (N, M), (N,) to (M,).

    With sum 1 the error is a combination of errors, w F − y = w (F − y); non-negative least
    squares on their Cholesky factor, with the sum as one heavy row, needs M + 1 rows.
    """
    errors = outputs - targets[:, None]
    products = errors.T @ errors
    size = np.trace(products) / len(products) + 1e-300
    products = products / size + 1e-10 * np.eye(len(products))
    heavy = 1e3
    system = np.vstack([np.linalg.cholesky(products).T, np.full(len(products), heavy)])
    weights, _ = optimize.nnls(system, np.append(np.zeros(len(products)), heavy))
    return np.asarray(weights / weights.sum())


def greedy_weights(
    outputs: Array, targets: Array, tasks: Codes, *, kind: Kind, metric: Metric, pooled: int
) -> Array:
    """Ensemble selection with replacement (Caruana et al. 2004). Shape (M,).

    It starts from the pooled contestant and the best one, adds whichever helps the mean most,
    and keeps the best of all rounds.
    """
    n_contestants = outputs.shape[1]

    def value(combined: Array) -> float:
        return score(metric, combined, targets, tasks, kind)

    singles = [value(outputs[:, one]) for one in range(n_contestants)]
    counts = np.zeros(n_contestants)
    counts[pooled] += 1
    counts[int(np.argmax(singles))] += 1
    total = np.einsum("m,nm...->n...", counts, outputs)
    best, best_value = counts / 2, value(total / 2)
    for size in range(3, GREEDY_ROUNDS + 3):
        values = [value((total + outputs[:, one]) / size) for one in range(n_contestants)]
        added = int(np.argmax(values))
        counts[added] += 1
        total = total + outputs[:, added]
        if values[added] > best_value:
            best, best_value = counts / size, values[added]
    return best


def _own_weights(losses: Array, tasks: Codes, common: Array, rate: float) -> Array:
    """Each task's weights, w_tm ∝ w_m exp(−rate Σ losses of its rows). Shape (T, M).

    The weights of a posterior whose prior is the common ones: few rows hardly move them. Losses
    count in units of the best contestant's mean, and against the mean over all tasks, so that a
    contestant that is good everywhere is not counted twice.
    """
    n_tasks = int(tasks.max()) + 1
    centred = losses - losses.mean(axis=0)
    sums = np.zeros((n_tasks, losses.shape[1]))
    np.add.at(sums, tasks, centred)
    powers = -rate * sums / max(losses.mean(axis=0).min(), 1e-300)
    used = common > 0
    weights = np.zeros_like(sums)
    powers = powers[:, used] - powers[:, used].max(axis=1, keepdims=True)
    weights[:, used] = common[used] * np.exp(powers)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _chosen_rate(
    outputs: Array,
    losses: Array,
    targets: Array,
    tasks: Codes,
    groups: Codes | None,
    problem: _Problem,
    common: Array,
) -> float:
    """The rate with the best metric on rows whose losses did not move their task's weights."""
    folds = _folds(tasks, groups)
    values = np.empty((len(RATES), 5))
    for fold in range(5):
        held = folds == fold
        others = np.where(held[:, None], losses.mean(axis=0), losses)  # centred: held count 0
        for place, rate in enumerate(RATES):
            weights = _own_weights(others, tasks, common, rate)[tasks[held]]
            combined = np.einsum("nm,nm...->n...", weights, outputs[held])
            values[place, fold] = score(
                problem.metric, combined, targets[held], tasks[held], problem.kind
            )
    gains = values - values[0]
    best = int(np.argmax(gains.mean(axis=1)))
    # A gain within its standard error over the folds is not worth a task's own weights.
    sure = gains[best].mean() > gains[best].std(ddof=1) / np.sqrt(5)
    return RATES[best] if sure else 0.0


def _folds(tasks: Codes, groups: Codes | None) -> Codes:
    """A fifth of every task's rows in each fold, or whole groups. Shape (N,)."""
    if groups is not None:
        return np.unique(groups, return_inverse=True)[1] % 5
    order = np.argsort(tasks, kind="stable")
    folds = np.empty(len(tasks), dtype=np.int64)
    folds[order] = np.arange(len(tasks)) % 5
    return folds


def _hurt(worse: Array, tasks: Codes, n_tasks: int) -> tuple[np.ndarray, Array]:
    """Tasks whose rows lose by what is joint: one-sided paired t-tests of all tasks.

    Benjamini and Hochberg (1995) hold the share of false alarms: of 160 tasks that learning
    together helps, eight would otherwise keep apart by chance.

    Args:
        worse: Each row's joint loss less its apart loss. Shape (N,).
        tasks: Shape (N,).
        n_tasks: T.

    Returns:
        Which tasks keep apart and the p-values. Shapes (T,).
    """
    p_values = np.full(n_tasks, np.nan)
    for task in range(n_tasks):
        own = worse[tasks == task]
        if len(own) >= 4 and own.std() > 0:
            statistic = own.mean() / (own.std(ddof=1) / np.sqrt(len(own)))
            p_values[task] = stats.t.sf(statistic, len(own) - 1)
    tested = np.flatnonzero(np.isfinite(p_values))
    ordered = tested[np.argsort(p_values[tested])]
    allowed = FALSE_DISCOVERIES * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    passing = np.flatnonzero(p_values[ordered] <= allowed)
    hurt = np.zeros(n_tasks, dtype=bool)
    if len(passing):
        hurt[ordered[: passing[-1] + 1]] = True
    return hurt, p_values
