"""Hold rows out in turn, every task's alike, and search settings by what was held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from softshare.shallow.rows import Array, Codes, Rows

Point = tuple[float, ...]
"""A value of every setting."""


@dataclass(frozen=True)
class Choice:
    """Settings chosen by held-out rows.

    What is said of a held-out row with settings that its own loss helped to choose is a little
    better than what is said of a new row. The choice of the other folds alone has no such favour.

    Attributes:
        best: by all folds.
        by_others: for every fold the best by all others.
    """

    best: Point
    by_others: tuple[Point, ...]


def fold_of_rows(rows: Rows, n_folds: int, random_state: int) -> Codes:
    """The fold that holds each row out. Shape (N,), 0 to ``n_folds`` − 1.

    Every task's rows (of classes, also every class's) are dealt out in turn, so that a task with
    eight rows always trains on six or more. Groups stay whole: they are dealt out, largest first,
    each to the fold with the fewest rows.
    """
    generator = np.random.default_rng(random_state)
    if rows.groups is not None:
        return _folds_of_groups(rows.groups, n_folds, generator)
    shuffled = generator.permutation(len(rows.targets))
    keys = [rows.tasks[shuffled]]
    if rows.kind != "regression":
        classes = rows.targets[shuffled].astype(int)
        keys.insert(0, classes)
    # The last key sorts first: task by task, and in a task class by class.
    ordered = shuffled[np.lexsort(keys)]
    folds = np.empty(len(ordered), dtype=np.int64)
    turn = np.arange(len(ordered))
    folds[ordered] = turn % n_folds
    return folds


def _folds_of_groups(groups: Codes, n_folds: int, generator: np.random.Generator) -> Codes:
    """Whole groups to folds of about one size. Shape (N,)."""
    sizes = np.bincount(groups)
    shuffled = generator.permutation(len(sizes))
    # A stable sort: groups of one size stay shuffled.
    order = np.argsort(-sizes[shuffled], kind="stable")
    largest_first = shuffled[order]
    fold_of_group = np.empty(len(sizes), dtype=np.int64)
    rows_in_fold = np.zeros(n_folds)
    for group in largest_first:
        fold = int(np.argmin(rows_in_fold))
        fold_of_group[group] = fold
        rows_in_fold[fold] += sizes[group]
    return fold_of_group[groups]


def coordinate_search(
    loss: Callable[..., float],
    grids: Sequence[Sequence[float]],
    *,
    start: Sequence[float],
    reach: int | None = None,
) -> tuple[float, ...]:
    """The point of a grid with the least loss that changing one coordinate does not lessen.

    A full grid of two strengths costs their product; this costs about twice their sum, and the
    losses of ridge strengths have one valley.

    Args:
        loss: Of one value of every grid.
        grids: The values of every coordinate.
        start: A first point, of which each value is on its grid.
        reach: How many values on either side of the present one are tried; None tries all. Where
            weak strengths take long, a search from the strong end seldom comes by them.
    """
    known: dict[tuple[float, ...], float] = {}

    def known_loss(point: tuple[float, ...]) -> float:
        if point not in known:
            known[point] = loss(*point)
        return known[point]

    best = tuple(start)
    moved = True
    while moved:
        before = best
        for axis, grid in enumerate(grids):
            line = []
            for value in _near(grid, best[axis], reach):
                line.append((*best[:axis], value, *best[axis + 1 :]))
            # min keeps the first of equals; the present point stays if nothing is better.
            best = min([best, *line], key=known_loss)
        moved = best != before
    return best


def _near(grid: Sequence[float], value: float, reach: int | None) -> Sequence[float]:
    """The values of a grid that are not far from one of them."""
    if reach is None:
        return grid
    place = list(grid).index(value)
    first = max(place - reach, 0)
    last = place + reach
    return grid[first : last + 1]


def chosen_by_folds(losses: Mapping[Point, Array]) -> Choice:
    """The settings with the least loss, by all folds and by all but each.

    Args:
        losses: settings → the sum of the losses of every fold's rows, ``(folds,)``.
    """
    points = list(losses)
    table = np.stack([losses[point] for point in points])  # (settings, folds)
    totals = table.sum(axis=1)
    others = totals[:, None] - table
    best = points[int(np.argmin(totals))]
    by_others = [points[place] for place in np.argmin(others, axis=0)]
    return Choice(best, tuple(by_others))


def search_by_folds(
    losses: Callable[..., Array],
    grids: Sequence[Sequence[float]],
    *,
    start: Sequence[float],
    reach: int | None = None,
) -> Choice:
    """A coordinate search by the sum of all folds' losses.

    Each fold's own choice is made among the points that the search came by.

    Args:
        losses: of one value of every grid, the sum of every fold's losses, ``(folds,)``.
        grids: as for :func:`coordinate_search`.
        start: likewise.
        reach: likewise.
    """
    known: dict[Point, Array] = {}

    def total(*point: float) -> float:
        known[point] = losses(*point)
        return float(known[point].sum())

    coordinate_search(total, grids, start=start, reach=reach)
    return chosen_by_folds(known)
