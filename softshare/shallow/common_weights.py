"""One set of weights for all tasks: the combination of contestants with the best metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import expit, softmax

from softshare.shallow.rows import Array, Codes, Kind, row_losses
from softshare.shallow.scores import Metric, score

GREEDY_ROUNDS = 20
RESTARTS = 8
# So many rows are enough to try the candidates of a greedy round on.
ROWS_TO_CHOOSE = 20_000
# Fewer tasks than these are not drawn from: a restart sees them all.
FEWEST_TO_DRAW = 6


@dataclass(frozen=True)
class Goal:
    """What is predicted, how it is judged, and where choices start."""

    kind: Kind
    metric: Metric
    pooled: int
    random_state: int


def common_weights(
    outputs: Array,
    targets: Array,
    tasks: Codes,
    goal: Goal,
    counts: Array | None = None,
) -> Array:
    """A convex combination that is good by its loss and by the metric.

    Args:
        outputs: Of M contestants. Shape (N, M) or (N, M, C).
        targets: Shape (N,).
        tasks: Shape (N,).
        goal: The metric, and the contestant that choices start with.
        counts: How much each row counts; None: all the same. Shape (N,).

    Shape:
        (M,).
    """
    least = least_loss_weights(outputs, targets, goal.kind, counts)
    if goal.metric in ("r2", "log-loss"):
        return least
    # What is reported has its say beside the loss: alone it is noisy, and a loss may favour what
    # does not count, such as the tasks' levels where only the order within a task does.
    return np.asarray((least + _restarted(outputs, targets, tasks, goal, counts)) / 2)


def _restarted(
    outputs: Array,
    targets: Array,
    tasks: Codes,
    goal: Goal,
    counts: Array | None,
) -> Array:
    """Greedy choices by the metric, the mean of several. Shape (M,)."""
    generator = np.random.default_rng(goal.random_state)
    total = np.zeros(outputs.shape[1])
    for _ in range(RESTARTS):
        rows = _rows_of_restart(tasks, generator)
        total += greedy_weights(
            outputs[rows],
            targets[rows],
            tasks[rows],
            kind=goal.kind,
            metric=goal.metric,
            pooled=goal.pooled,
            counts=None if counts is None else counts[rows],
        )
    return total / RESTARTS


def least_loss_weights(
    outputs: Array,
    targets: Array,
    kind: Kind,
    counts: Array | None = None,
) -> Array:
    """The convex combination with the least loss, a convex problem. Shape (M,).

    Args:
        outputs: Of M contestants. Shape (N, M) or (N, M, C).
        targets: Shape (N,).
        kind: What the targets are.
        counts: How much each row counts; None: all the same. Shape (N,).
    """
    if kind == "regression":
        return convex_least_squares(outputs, targets, counts)
    n_contestants = outputs.shape[1]
    start = np.full(n_contestants, 1 / n_contestants)

    def objective(weights: Array) -> tuple[float, Array]:
        combined = np.einsum("m,nm...->n...", weights, outputs)
        losses = row_losses(combined, targets, kind)
        slopes = _loss_slopes(combined, targets, kind)
        if counts is not None:
            slopes = (slopes.T * (counts / counts.mean())).T  # (N,) or (N, C)
        gradient = [np.vdot(slopes, outputs[:, one]) for one in range(n_contestants)]
        return float(np.average(losses, weights=counts)), np.array(gradient) / len(targets)

    found = optimize.minimize(
        objective,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * n_contestants,
        constraints=optimize.LinearConstraint(np.ones((1, n_contestants)), 1.0, 1.0),
    )
    weights = np.clip(found.x, 0.0, None)
    return np.asarray(weights / weights.sum())


def _loss_slopes(
    combined: Array,
    targets: Array,
    kind: Kind,
) -> Array:
    """How each row's negative log-likelihood grows with its outputs. Shape as ``combined``."""
    if kind == "binary":
        return np.asarray(expit(combined) - targets)
    slopes = softmax(combined, axis=1)
    positions = np.arange(len(targets))
    slopes[positions, targets.astype(int)] -= 1
    return np.asarray(slopes)


def _rows_of_restart(tasks: Codes, generator: np.random.Generator) -> Codes:
    """The rows of two thirds of the tasks: the mean of restarts is less greedy than one run."""
    n_tasks = int(tasks.max()) + 1
    n_drawn = max(2 * n_tasks // 3, 1)
    drawn = generator.permutation(n_tasks)[:n_drawn]
    is_seen = np.isin(tasks, drawn)
    if n_tasks < FEWEST_TO_DRAW:
        is_seen[:] = True
    rows = np.flatnonzero(is_seen)
    if len(rows) > ROWS_TO_CHOOSE:
        rows = generator.choice(rows, ROWS_TO_CHOOSE, replace=False)
    return rows


def convex_least_squares(outputs: Array, targets: Array, counts: Array | None = None) -> Array:
    """W ≥ 0 of sum 1 with the least squared error. Shapes: (N, M), (N,) to (M,).

    With sum 1 the error is a combination of errors, w F − y = w (F − y); non-negative least
    squares on their Cholesky factor, with the sum as one heavy row, needs M + 1 rows.
    """
    n_contestants = outputs.shape[1]
    errors = outputs - targets[:, None]
    if counts is not None:
        errors = errors * np.sqrt(counts)[:, None]
    products = errors.T @ errors  # (M, M): N rows are not needed again
    # In units of the mean squared error, so that the heavy row is heavy beside any targets.
    size = np.trace(products) / n_contestants + 1e-300
    products = products / size
    # Contestants that are copies of each other leave the factor singular otherwise.
    products = products + 1e-10 * np.eye(n_contestants)
    factor = np.linalg.cholesky(products).T

    heavy = 1e3
    system = np.vstack([factor, np.full(n_contestants, heavy)])
    right = np.append(np.zeros(n_contestants), heavy)
    weights, _ = optimize.nnls(system, right)
    return np.asarray(weights / weights.sum())


def greedy_weights(
    outputs: Array,
    targets: Array,
    tasks: Codes,
    *,
    kind: Kind,
    metric: Metric,
    pooled: int,
    counts: Array | None = None,
) -> Array:
    """Ensemble selection with replacement (Caruana et al. 2004). Shape (M,).

    It starts from the pooled contestant and the best one, adds whichever helps the mean most,
    and keeps the best of all rounds.
    """
    n_contestants = outputs.shape[1]

    def value(combined: Array) -> float:
        return score(
            metric,
            combined,
            targets,
            tasks,
            kind,
            counts,
        )

    singles = [value(outputs[:, one]) for one in range(n_contestants)]
    times = np.zeros(n_contestants)
    times[pooled] += 1
    times[int(np.argmax(singles))] += 1
    # What has been chosen so far, summed: a round adds one contestant to it.
    total = np.einsum("m,nm...->n...", times, outputs)
    best = times / 2
    best_value = value(total / 2)
    for size in range(3, GREEDY_ROUNDS + 3):
        values = np.empty(n_contestants)
        for one in range(n_contestants):
            values[one] = value((total + outputs[:, one]) / size)
        added = int(np.argmax(values))
        times[added] += 1
        total = total + outputs[:, added]
        if values[added] > best_value:
            best = times / size
            best_value = float(values[added])
    return best
