"""Dividing entries so that every part has its fraction of every label.

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
    tasks: TaskSet,
    label: np.ndarray,
    unit: np.ndarray,
    fractions: np.ndarray,
    *,
    seed: str,
) -> np.ndarray:
    """The part of every entry.

    Args:
        tasks: whose entries to divide.
        label: of every entry.
        unit: of every entry; entries of one unit fall in one part.
        fractions: of every part.
        seed: of the draws.

    Shape:
        label, unit and the result ``(entries,)``, fractions ``(3,)``; the result holds 0, 1, 2.
    """
    label = pd.factorize(label)[0]
    every_unit_is_an_entry = len(pd.unique(unit)) == len(unit)
    if every_unit_is_an_entry:
        return _label_by_label(label, _draws_by_task(tasks, seed), fractions)
    draws = draws_of(seed, np.arange(unit.max() + 1))
    part_of = np.full(len(draws), -1)  # of every unit; -1: not yet dealt out
    for _, members in units_by_label(
        tasks,
        label,
        unit,
        seed,
    ):
        _deal_out(
            members,
            part_of,
            draws,
            fractions,
        )
    return part_of[unit]


def _label_by_label(
    label: np.ndarray,
    draws: np.ndarray,
    fractions: np.ndarray,
) -> np.ndarray:
    """Divides all labels at once, as no entry is bound to another.

    Entries are lined up label by label, in random order within a label, and each label's run is cut
    where its counts say::

        label 0: train train train test | label 1: train train test validation | …
    """
    sizes = np.bincount(label)
    wanted = sizes[:, None] * fractions  # (labels, parts)
    counts = _whole_counts(sizes, wanted, fractions > 0)
    parts = np.tile(_SERVED, len(sizes))
    order = np.lexsort((draws, label))
    part = np.empty(len(label), dtype=np.int64)
    part[order] = np.repeat(parts, counts.ravel())
    return part


def _deal_out(
    members: np.ndarray,
    part_of: np.ndarray,
    draws: np.ndarray,
    fractions: np.ndarray,
) -> None:
    """Gives the units of one label that have no part yet to the parts that lack most of this label;
    ``part_of`` is changed in place.
    """
    free = members[part_of[members] < 0]
    if not len(free):
        return
    # those of -1, free ones, are counted at 0 and left out
    has = np.bincount(part_of[members] + 1, minlength=4)[1:]
    lacking = len(members) * fractions - has
    bare = (fractions > 0) & (has == 0)
    counts = _whole_counts(np.array([len(free)]), lacking[None], bare)
    in_random_order = free[np.argsort(draws[free])]
    part_of[in_random_order] = np.repeat(_SERVED, counts[0])


def thinned(
    tasks: TaskSet,
    label: np.ndarray,
    fraction: float,
    *,
    seed: str,
) -> np.ndarray:
    """The numbers of the entries that a smaller training set keeps, sorted; those of less are among
    those of more.

    Entries stand in an order of which every beginning has its fraction of every label, and one of
    each label at the very front. Rows that serve several tasks are kept or dropped as a whole.

    Shape:
        label ``(entries,)``.
    """
    label = pd.factorize(label)[0]
    if tasks.one_input:
        return _thinned_rows(
            tasks,
            label,
            fraction,
            seed,
        )
    draws = _draws_by_task(tasks, seed)
    by_label = np.lexsort((draws, label))
    is_first = places_in_runs(label[by_label]) == 0
    front = by_label[is_first]  # one entry of every label
    return np.flatnonzero(
        _beginning(
            tasks.task_of,
            label,
            front,
            draws,
            fraction,
        )
    )


def _thinned_rows(
    tasks: TaskSet,
    label: np.ndarray,
    fraction: float,
    seed: str,
) -> np.ndarray:
    """As :func:`thinned`, where a row has a label of every task: it counts under its rarest one."""
    row, row_of = np.unique(tasks.rows, return_inverse=True)
    draws = draws_of(seed, row)
    rarest = np.full(len(row), -1)
    covering = np.zeros(len(row), dtype=bool)  # rows that together have every label
    for number, members in units_by_label(
        tasks,
        label,
        row_of,
        seed,
    ):
        unclaimed = members[rarest[members] < 0]
        rarest[unclaimed] = number
        if not covering[members].any():
            covering[members[np.argmin(draws[members])]] = True
    all_in_one = np.zeros(len(row), dtype=np.int64)
    front = np.flatnonzero(covering)
    kept = _beginning(
        all_in_one,
        rarest,
        front,
        draws,
        fraction,
    )
    return np.flatnonzero(kept[row_of])


def _beginning(
    scope: np.ndarray,
    label: np.ndarray,
    front: np.ndarray,
    draws: np.ndarray,
    fraction: float,
) -> np.ndarray:
    """Which members are among the first of their scope, in an order that serves all labels evenly.

    Kept are ``fraction`` of a scope, all that stand in ``front`` (numbers of members), and at least
    two.

    The k-th of n members of a label has the place k/n, so that a frequent label and a rare one
    advance at one pace::

        label a (4 members)   0     1/4    2/4    3/4
        label b (2 members)   0            1/2
        in their order        a b   a      a b    a
    """
    order = np.lexsort((draws, label))
    of_label = label[order]
    place = np.empty(len(label))
    place[order] = places_in_runs(of_label) / np.bincount(label)[of_label]
    place[front] = -1
    order = np.lexsort((draws, place, scope))
    of_scope = scope[order]
    sizes = np.bincount(scope)
    n_front = np.bincount(scope[front], minlength=len(sizes))
    n_kept = np.maximum(np.rint(fraction * sizes), np.maximum(n_front, 2))
    kept = np.empty(len(label), dtype=bool)
    kept[order] = places_in_runs(of_scope) < n_kept[of_scope]
    return kept


def _whole_counts(
    sizes: np.ndarray,
    wanted: np.ndarray,
    bare: np.ndarray,
) -> np.ndarray:
    """Whole numbers that add up to ``sizes``, near ``wanted``; a part that is ``bare`` gets one
    where there is enough.

    Shape:
        sizes ``(L,)``, wanted ``(L, 3)`` and bare ``(3,)`` in the order of the parts; the result
        ``(L, 3)`` in the order in which they are served.
    """
    wanted = np.maximum(wanted, 0)[:, _SERVED]
    exact = wanted * (sizes / wanted.sum(axis=1))[:, None]
    counts = np.floor(exact + 1e-9).astype(np.int64)
    # what is left after rounding down goes to the largest remainders; ties to who is served first
    remainder = (exact - counts).round(9)
    rank = np.argsort(-remainder, axis=1, kind="stable").argsort(axis=1)
    left = sizes - counts.sum(axis=1)
    counts += rank < left[:, None]
    # a part without any of a label takes one from the part that has most of it
    labels = np.arange(len(sizes))
    for part in np.flatnonzero(bare[_SERVED]):
        largest = counts.argmax(axis=1)
        can_give = counts[labels, largest] > 1
        owed = (counts[:, part] == 0) & can_give
        counts[labels[owed], largest[owed]] -= 1
        counts[owed, part] += 1
    return counts


def units_by_label(
    tasks: TaskSet,
    label: np.ndarray,
    unit: np.ndarray,
    seed: str,
) -> list[tuple[int, np.ndarray]]:
    """Every label and its units, from the rarest label on; ties go by the tasks' names, not their
    order.
    """
    n_units = int(unit.max()) + 1
    # a pair (label, unit) as one number: sorted, the units of a label stand together
    pairs = np.sort(pd.unique(label * n_units + unit))
    sizes = np.bincount(pairs // n_units)
    members = np.split(pairs % n_units, np.cumsum(sizes)[:-1])
    # the first entry of every label (the last one written stays): it tells task and class
    first = np.empty(len(sizes), dtype=np.int64)
    first[label[::-1]] = np.arange(len(label))[::-1]
    names = _task_keys(tasks, seed)[tasks.task_of[first]]
    rarest_first = np.lexsort((tasks.targets[first], names, sizes))
    return [(int(number), members[number]) for number in rarest_first]


def _draws_by_task(tasks: TaskSet, seed: str) -> np.ndarray:
    """A random number for every entry, from a stream of its task's own."""
    keys = _task_keys(tasks, seed)[tasks.task_of]
    places = np.arange(len(tasks.rows)) - tasks.offsets[tasks.task_of]
    return numbered(keys, places)


def draws_of(seed: str, units: np.ndarray) -> np.ndarray:
    """A random number for every unit."""
    return numbered(np.uint64(key_of(seed, "units")), units)


def _task_keys(tasks: TaskSet, seed: str) -> np.ndarray:
    keys = [key_of(seed, task.name) for task in tasks.tasks]
    return np.array(keys, dtype=np.uint64)
