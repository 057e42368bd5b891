"""Dividing entries so that every part has its share of every label.

A *label* is a number for a task and class, a *unit* what cannot be divided: a row, or a group of
rows. Where every unit is one entry, labels are independent of each other and all are divided at
once. Where units carry several labels (one row with many targets, one group with many rows) labels
are served from the rarest on, each part getting what it still lacks: the iterative stratification
of Sechidis et al., "On the stratification of multi-label data" (2011), with the units of one label
dealt out together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from softshare.tasks.columns import places_in_runs
from softshare.tasks.random_keys import key_of, numbered
from softshare.tasks.task_set import TaskSet

_SERVED = np.array([0, 2, 1])
"""Who is served first where a label has too few units for all: training, then test, then
validation.
"""


def stratified(
    tasks: TaskSet, label: np.ndarray, unit: np.ndarray, fractions: np.ndarray, *, seed: str
) -> np.ndarray:
    """The part of every entry.

    Args:
        tasks: whose entries to divide.
        label: of every entry.
        unit: of every entry; entries of one unit fall in one part.
        fractions: share of every part.
        seed: of the draws.

    Shape:
        label, unit and the result ``(entries,)``, fractions ``(3,)``; the result holds 0, 1, 2.
    """
    label = pd.factorize(label)[0]
    if len(pd.unique(unit)) == len(unit):
        order = np.lexsort((_draws_by_task(tasks, seed), label))
        sizes = np.bincount(label)
        counts = _share_out(sizes, sizes[:, None] * fractions, fractions > 0)
        part = np.empty(len(label), dtype=np.int64)
        part[order] = np.repeat(np.tile(_SERVED, len(sizes)), counts.ravel())
        return part
    draws = draws_of(seed, np.arange(unit.max() + 1))
    part_of = np.full(len(draws), -1)
    for _, members in units_by_label(tasks, label, unit, seed):
        free = members[part_of[members] < 0]
        if len(free):
            has = np.bincount(part_of[members] + 1, minlength=4)[1:]
            counts = _share_out(
                np.array([len(free)]),
                (len(members) * fractions - has)[None],
                (fractions > 0) & (has == 0),
            )
            part_of[free[np.argsort(draws[free])]] = np.repeat(_SERVED, counts[0])
    return part_of[unit]


def thinned(tasks: TaskSet, label: np.ndarray, fraction: float, *, seed: str) -> np.ndarray:
    """The numbers of the entries that a smaller training set keeps, sorted; those of less are among
    those of more.

    Entries stand in an order of which every beginning has its share of every label, and one of each
    label at the very front. Rows that serve several tasks are kept or dropped as a whole.

    Shape:
        label ``(entries,)``.
    """
    label = pd.factorize(label)[0]
    if not tasks.one_input:
        draws = _draws_by_task(tasks, seed)
        by_label = np.lexsort((draws, label))
        front = by_label[places_in_runs(label[by_label]) == 0]
        return np.flatnonzero(_beginning(tasks.task_of, label, front, draws, fraction))
    row, row_of = np.unique(tasks.rows, return_inverse=True)
    draws = draws_of(seed, row)
    covering, rarest = np.zeros(len(row), dtype=bool), np.full(len(row), -1)
    for number, members in units_by_label(tasks, label, row_of, seed):
        rarest[members[rarest[members] < 0]] = number
        if not covering[members].any():
            covering[members[np.argmin(draws[members])]] = True
    return np.flatnonzero(
        _beginning(
            np.zeros(len(row), dtype=np.int64), rarest, np.flatnonzero(covering), draws, fraction
        )[row_of]
    )


def _beginning(
    scope: np.ndarray, label: np.ndarray, front: np.ndarray, draws: np.ndarray, fraction: float
) -> np.ndarray:
    """Which members are among the first of their scope, in an order that serves all labels evenly.

    Kept are ``fraction`` of a scope, all that stand in ``front`` (numbers of members), and at least
    two.
    """
    order = np.lexsort((draws, label))
    place = np.empty(len(label))
    place[order] = places_in_runs(label[order]) / np.bincount(label)[label[order]]
    place[front] = -1
    order = np.lexsort((draws, place, scope))
    sizes, n_front = np.bincount(scope), np.bincount(scope[front], minlength=scope.max() + 1)
    n_kept = np.maximum(np.rint(fraction * sizes), np.maximum(n_front, 2))
    kept = np.empty(len(label), dtype=bool)
    kept[order] = places_in_runs(scope[order]) < n_kept[scope[order]]
    return kept


def _share_out(sizes: np.ndarray, wanted: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Whole numbers that add up to ``sizes``, near ``wanted``; a part that is ``bare`` gets one
    where there is enough.

    Shape:
        sizes ``(L,)``, wanted ``(L, 3)`` and bare ``(3,)`` in the order of the parts; the result
        ``(L, 3)`` in the order in which they are served.
    """
    wanted, bare = np.maximum(wanted, 0)[:, _SERVED], bare[_SERVED]
    exact = wanted * (sizes / wanted.sum(axis=1))[:, None]
    counts = np.floor(exact + 1e-9).astype(np.int64)
    places = np.argsort(-(exact - counts).round(9), axis=1, kind="stable").argsort(axis=1)
    counts += places < (sizes - counts.sum(axis=1))[:, None]
    labels = np.arange(len(sizes))
    for part in np.flatnonzero(bare):
        largest = counts.argmax(axis=1)
        owed = (counts[:, part] == 0) & (counts[labels, largest] > 1)
        counts[labels[owed], largest[owed]] -= 1
        counts[owed, part] += 1
    return counts


def units_by_label(
    tasks: TaskSet, label: np.ndarray, unit: np.ndarray, seed: str
) -> list[tuple[int, np.ndarray]]:
    """Every label and its units, from the rarest label on; ties go by the tasks' names, not their
    order.
    """
    n_units = int(unit.max()) + 1
    pairs = np.sort(pd.unique(label * n_units + unit))
    sizes = np.bincount(pairs // n_units)
    members = np.split(pairs % n_units, np.cumsum(sizes)[:-1])
    an_entry = np.empty(len(sizes), dtype=np.int64)
    an_entry[label[::-1]] = np.arange(len(label))[::-1]
    names = _task_keys(tasks, seed)[tasks.task_of[an_entry]]
    return [(int(k), members[k]) for k in np.lexsort((tasks.targets[an_entry], names, sizes))]


def _draws_by_task(tasks: TaskSet, seed: str) -> np.ndarray:
    """A random number for every entry, from a stream of its task's own."""
    return numbered(
        _task_keys(tasks, seed)[tasks.task_of],
        np.arange(len(tasks.rows)) - tasks.offsets[tasks.task_of],
    )


def draws_of(seed: str, units: np.ndarray) -> np.ndarray:
    """A random number for every unit."""
    return numbered(np.uint64(key_of(seed, "units")), units)


def _task_keys(tasks: TaskSet, seed: str) -> np.ndarray:
    return np.array([key_of(seed, task.name) for task in tasks.tasks], dtype=np.uint64)
