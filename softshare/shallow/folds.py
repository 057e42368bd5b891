"""Hold rows out in turn, every task's alike, and search settings by what was held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from softshare.shallow.rows import Codes, Rows


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
) -> tuple[float, ...]:
    """The point of a grid with the least loss that changing one coordinate does not lessen.

    A full grid of two strengths costs their product; this costs about twice their sum, and the
    losses of ridge strengths have one valley.

    Args:
        loss: Of one value of every grid.
        grids: The values of every coordinate.
        start: A first point.
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
            for value in grid:
                line.append((*best[:axis], value, *best[axis + 1 :]))
            # min keeps the first of equals; the present point stays if nothing is better.
            best = min([best, *line], key=known_loss)
        moved = best != before
    return best
