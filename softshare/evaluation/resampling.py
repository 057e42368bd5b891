"""How far a metric hangs on the rows that happened to be in the test part.

Where the test part is given, all runs of a comparison are judged by the same rows, and what differs
between seeds says nothing of these rows. Each run therefore keeps, for every task, its metric under
a hundred random weightings of the test rows, the same ones in every run (the Bayesian bootstrap,
Rubin 1981). A gain under each weighting is then the difference of two records' numbers, paired by
row, and its spread over the weightings is what other test rows would have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from softshare.tasks.metrics import metric_named, primary_metric, weighted_metric
from softshare.tasks.splits import units_of
from softshare.tasks.task_set import TaskSet

WEIGHTINGS = 100
"""A standard deviation from so many is right within some 7 %."""

NUMBERS_AT_ONCE = 10_000_000
SEED = 20_260_101
"""Of the weights: all runs must have the same."""


def has_given_test_part(tasks: TaskSet) -> bool:
    """Whether the data say which rows test, so that every split has the same ones."""
    if not tasks.parts:
        return False
    for part in tasks.parts:
        if part is None:
            return False
        tests = np.asarray(part) == "test"
        if not tests.any():
            return False
    return True


def resampled_metrics(
    test: TaskSet, outputs: Sequence[np.ndarray], *, metric: str | None = None
) -> dict[str, dict[str, Any]]:
    """Every task's metric under each weighting of the test rows, as a record holds it.

    What cannot be divided by a split has one weight: the rows of a group, and a row that serves
    several tasks.

    Args:
        test: the test part.
        outputs: of every task, ``(N_t, n_outputs_t)``.
        metric: the one to compare by; None for each kind's own.

    Returns:
        Task → ``units`` (how many rows, or groups, it has) and ``values`` (one a weighting). Tasks
        whose metric does not follow from outputs, or that have one unit only, are missing.
    """
    _, unit = np.unique(units_of(test), return_inverse=True)
    units = [unit[test.entries(number)] for number in range(len(test))]
    pieces: list[list[np.ndarray]] = [[] for _ in test.tasks]
    for weights in weightings(n_units=int(unit.max()) + 1):
        for number, task in enumerate(test.tasks):
            compared = metric_named(primary_metric(task, metric))
            targets = test.targets[test.entries(number)]
            own = weights[:, units[number]]  # (b, N_t)
            of_rows = test.weights_of(number)
            own = own if of_rows is None else own * of_rows
            piece = weighted_metric(
                compared,
                outputs[number],
                targets,
                own,
            )
            pieces[number].append(piece)
    described = {}
    for task, own_units, own_pieces in zip(test.tasks, units, pieces, strict=True):
        n_units = len(np.unique(own_units))
        values = spread_out(np.concatenate(own_pieces), n_units)
        if np.isfinite(values).all():
            rounded = [float(f"{value:.7g}") for value in values]
            described[task.label] = {"units": n_units, "values": rounded}
    return described


def weightings(n_units: int) -> Iterator[np.ndarray]:
    """Weights ``(b, n_units)``, some weightings at a time, ``WEIGHTINGS`` in all."""
    random = np.random.default_rng(SEED)
    at_once = max(1, NUMBERS_AT_ONCE // n_units)
    for begin in range(0, WEIGHTINGS, at_once):
        n_here = min(at_once, WEIGHTINGS - begin)
        # drawn row after row, so that the size of a piece changes nothing
        yield random.standard_exponential((n_here, n_units))


def spread_out(values: np.ndarray, n_units: int) -> np.ndarray:
    """Values under the weightings, moved apart so that the variance of a mean is the usual unbiased
    one; NaN for a single unit.

    The weights of n units are uniform on a simplex. Under them a mean of values whose unbiased
    variance is s² has the variance s² (n − 1) / (n (n + 1)), where s² / n is wanted.
    """
    if n_units < 2:
        return np.full(len(values), np.nan)
    factor = np.sqrt((n_units + 1) / (n_units - 1))
    centre = values.mean()
    moved: np.ndarray = centre + factor * (values - centre)
    return moved
