"""Which examples train, which choose (validation) and which judge (test)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from softshare.tasks.arguments import ArgumentError
from softshare.tasks.stratify import stratified, thinned
from softshare.tasks.task_set import FRACTIONS, Fractions, TaskSet

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(len(PARTS))
FREE = -1
"""In place of a part's number: none is given."""

MOST_NAMED = 200
"""Tasks that an error or a note names."""

MOST_DRAWS = 20
"""How often is drawn anew where a task was left without one of the parts."""


@dataclass(frozen=True, eq=False)
class Split:
    """Numbers of the entries of a task set that each part holds, sorted.

    Shape:
        train, validation and test ``(entries of the part,)``.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def digest(self) -> str:
        """A short text that is equal for equal splits."""
        digest = hashlib.blake2b(digest_size=16)
        for part in PARTS:
            entries = getattr(self, part).astype("<i8")  # the same bytes on every machine
            digest.update(len(entries).to_bytes(8, "little"))
            digest.update(entries.tobytes())
        return digest.hexdigest()

    def as_dict(self) -> dict[str, list[int]]:
        """The split as plain lists, for JSON."""
        return {part: getattr(self, part).tolist() for part in PARTS}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Sequence[int]]) -> Split:
        """The split that :meth:`as_dict` wrote."""
        entries = {part: np.asarray(parts[part], dtype=np.int64) for part in PARTS}
        return cls(**entries)


def split(
    tasks: TaskSet,
    *,
    seed: int,
    fractions: Fractions = FRACTIONS,
    train_fraction: float = 1.0,
) -> Split:
    """Divide the examples of every task, by task and class.

    A row that serves several tasks (one input for all), and the rows of one group, fall in one
    part; fractions are then of rows, or of groups. A class of three rows or more is found in every
    part; what there is less of goes to training first, then to the test set.

    Given parts (``tasks.parts``) stay: the test rows are the test set, and where no row is given
    for validation, the fraction ``validation / (train + validation)`` of the given training rows is
    taken.

    Where ``tasks.train_fraction_of_all``, ``train_fraction`` is of all examples of a class (of the
    20 drawings of a character), and the rest is divided as ``validation : test``; a smaller
    training set still lies within a larger one where no rows are grouped.

    Draws depend on the seed and, where rows belong to one task, its name: the order of the tasks
    and which others there are change nothing.

    Args:
        tasks: what to divide.
        seed: of all draws.
        fractions: of training, validation and test, which add up to 1.
        train_fraction: of the training part that is kept, with at least one example of every class
            in it and two of every task. Validation and test do not depend on it, and a smaller
            training set lies within a larger one.

    Raises:
        ValueError: a fraction is out of range, a task has too few rows or groups for the parts or
            one class only.
    """
    _check_fractions(fractions, train_fraction)
    label, unit = labels_of(tasks), units_of(tasks)
    if tasks.train_fraction_of_all:
        fractions = _of_all(fractions, train_fraction, label)
        train_fraction = 1.0
    small = small_tasks(tasks, fractions)
    if small.any():
        raise ArgumentError(
            ("tasks", _too_small(tasks, small, fractions)),
            ("drop_small_tasks", "leaves them out, with these fractions"),
        )
    _check_groups(tasks, unit)
    part = _divide(
        tasks,
        label,
        unit,
        fractions,
        seed=seed,
    )
    train = np.flatnonzero(part == TRAIN)
    if train_fraction < 1:
        kept = thinned(
            tasks.select(train),
            label[train],
            train_fraction,
            seed=f"{seed}/thin",
        )
        train = train[kept]
    return Split(train, np.flatnonzero(part == VALIDATION), np.flatnonzero(part == TEST))


def small_tasks(
    tasks: TaskSet,
    fractions: Fractions = FRACTIONS,
) -> np.ndarray:
    """Which tasks are too small to be split: too few rows (or groups) for the parts, or one class
    only.

    Shape:
        ``(T,)`` booleans.
    """
    given, unit = given_parts_of(tasks), units_of(tasks)
    n_units = int(unit.max(initial=0)) + 1
    # how many units every task has in every given part: (task, part, unit) as one number, each
    # counted once; part 0 stands for none
    n_kinds = 1 + len(PARTS)
    task_and_part = tasks.task_of * n_kinds + given + 1
    distinct = pd.unique(task_and_part * n_units + unit) // n_units
    counts = np.bincount(distinct, minlength=n_kinds * len(tasks)).reshape(-1, n_kinds)
    free, train, validation, test = counts.T
    if (given == VALIDATION).any():
        lacks_validation = validation == 0
    else:
        lacks_validation = train < 1 + (fractions[1] > 0)  # training rows must do for both
    lacks_given = (train == 0) | (test == 0) | lacks_validation
    has_given = train + validation + test > 0
    too_few = np.where(has_given, lacks_given, free < least_rows(fractions))
    return too_few | _one_class(tasks)


def least_rows(fractions: Fractions = FRACTIONS) -> int:
    """How many rows (or groups) a task needs, so that the smallest part has one of them."""
    smallest = min(fraction for fraction in fractions if fraction > 0)
    return math.ceil(1 / smallest - 1e-9)


def drop_small_tasks(
    tasks: TaskSet,
    *,
    fractions: Fractions = FRACTIONS,
    train_fraction: float = 1.0,
) -> TaskSet:
    """The same set without the tasks that :func:`split` with these fractions would refuse, and a
    note that says which.

    Raises:
        ValueError: no task is left.
    """
    if tasks.train_fraction_of_all and train_fraction < 1:
        fractions = _of_all(fractions, train_fraction, labels_of(tasks))
    small = small_tasks(tasks, fractions)
    if small.all():
        raise ValueError(f"no task is left: {_too_small(tasks, small, fractions)}")
    if not small.any():
        return tasks
    kept = tasks.keep_tasks(np.flatnonzero(~small))
    note = f"left out: {_too_small(tasks, small, fractions)}"
    return replace(kept, notes=(*tasks.notes, note))


def labels_of(tasks: TaskSet) -> np.ndarray:
    """The label of every entry: a number for its task and class, one for all of a regression task.

    Classes of one task with fewer than three rows are one label together, so that they are divided
    as one.
    """
    is_regression = np.array([task.kind == "regression" for task in tasks.tasks])
    classes = np.where(is_regression[tasks.task_of], 0, tasks.targets).astype(np.int64)
    n_classes = int(classes.max(initial=0)) + 2  # one more for the rare ones together
    label, _ = pd.factorize(tasks.task_of * n_classes + classes)
    is_rare = np.bincount(label)[label] < len(PARTS)
    classes = np.where(is_rare, n_classes - 1, classes)
    return pd.factorize(tasks.task_of * n_classes + classes)[0]


def _divide(
    tasks: TaskSet,
    label: np.ndarray,
    unit: np.ndarray,
    fractions: Fractions,
    *,
    seed: int,
) -> np.ndarray:
    """The part of every entry, shape ``(entries,)``, with some of every task in every part.

    A small task whose rows serve others too may be left without a part: then all is drawn again.
    """
    for attempt in range(MOST_DRAWS):
        part = _drawn(
            tasks,
            label,
            unit,
            fractions,
            seed=f"{seed}/{attempt}",
        )
        empty: np.ndarray = (_counts(tasks, part) == 0) & (np.array(fractions) > 0)
        if not empty.any():
            return part
    raise ValueError(_without_rows(tasks, empty))


def _drawn(
    tasks: TaskSet,
    label: np.ndarray,
    unit: np.ndarray,
    fractions: Fractions,
    *,
    seed: str,
) -> np.ndarray:
    """The part of every entry, shape ``(entries,)``."""
    given = given_parts_of(tasks)
    part = given.copy()
    fractions_of = {FREE: fractions}
    if not (given == VALIDATION).any():
        fractions_of[TRAIN] = (fractions[0], fractions[1], 0.0)
    for which, wanted in fractions_of.items():
        entries = np.flatnonzero(given == which)
        if len(entries):
            part[entries] = stratified(
                tasks.select(entries),
                label[entries],
                unit[entries],
                np.array(wanted) / sum(wanted),
                seed=seed,
            )
    return part


def units_of(tasks: TaskSet) -> np.ndarray:
    """What cannot be divided: a number for the group of every entry, else for its row."""
    groups = tasks.groups or (None,) * len(tasks.sources)
    named = [np.asarray(group).astype(str) for group in groups if group is not None]
    codes = np.empty(0, dtype=np.int64)
    if named:
        codes = pd.factorize(np.concatenate(named), sort=True)[0]
    # groups of one name are one group in all sources; rows without groups are numbered after them
    numbers = []
    group_at, row_at = 0, len(codes)
    for source, group in zip(tasks.sources, groups, strict=True):
        n_rows = len(source)
        if group is None:
            numbers.append(np.arange(row_at, row_at + n_rows))
        else:
            numbers.append(codes[group_at : group_at + n_rows])
            group_at += n_rows
        row_at += n_rows
    return _of_rows(tasks, numbers)


def given_parts_of(tasks: TaskSet) -> np.ndarray:
    """For every entry the number of its given part, -1 where its source has none."""
    numbers = []
    parts = tasks.parts or (None,) * len(tasks.sources)
    for source, part in zip(tasks.sources, parts, strict=True):
        if part is None:
            numbers.append(np.full(len(source), FREE))
            continue
        found = pd.Index(PARTS).get_indexer(pd.Index(part))
        if (found < 0).any():
            wrong = part[found.argmin()]
            raise ValueError(f"given parts must be {', '.join(PARTS)}, found {wrong!r}")
        numbers.append(found)
    return _of_rows(tasks, numbers)


def _of_rows(
    tasks: TaskSet,
    columns: Sequence[np.ndarray],
) -> np.ndarray:
    """For every entry the value of its row, from a column a source."""
    lengths = [len(column) for column in columns]
    begins = np.concatenate([[0], np.cumsum(lengths)])
    begin_of_entry = begins[tasks.source_of][tasks.task_of]
    return np.concatenate(columns)[begin_of_entry + tasks.rows]


def _counts(
    tasks: TaskSet,
    part: np.ndarray,
) -> np.ndarray:
    """Entries of every task in every part, shape ``(T, 3)``."""
    n_parts = len(PARTS)
    counts = np.bincount(tasks.task_of * n_parts + part, minlength=len(tasks) * n_parts)
    return counts.reshape(-1, n_parts)


def _one_class(tasks: TaskSet) -> np.ndarray:
    """Which classification tasks have labels of one class only, shape ``(T,)``."""
    task_of = tasks.task_of
    changes = np.flatnonzero(np.diff(tasks.targets) != 0) + 1
    inside = changes
    if len(changes):
        # a change from one task's last label to the next one's first says nothing
        inside = changes[task_of[changes] == task_of[changes - 1]]
    several = np.bincount(task_of[inside], minlength=len(tasks)) > 0
    has_classes = np.array([task.kind != "regression" for task in tasks.tasks])
    return ~several & has_classes


def _check_fractions(
    fractions: Fractions,
    train_fraction: float,
) -> None:
    fit = (
        len(fractions) == 3
        and fractions[0] > 0
        and min(fractions) >= 0
        and abs(sum(fractions) - 1) <= 1e-6
    )
    if not fit:
        raise ValueError(
            "fractions must be three numbers (train > 0, validation, test) that add up to "
            f"1, got {tuple(fractions)}"
        )
    if not 0 < train_fraction <= 1:
        raise ValueError(f"train_fraction must be above 0 and at most 1, got {train_fraction}")


def _of_all(
    fractions: Fractions,
    train: float,
    label: np.ndarray,
) -> Fractions:
    """This fraction for training, the rest, some even of the largest class, divided as the
    fractions for validation and test are.
    """
    largest = int(np.bincount(label, minlength=1).max())
    validation, test = fractions[1:]
    rest = validation + test
    others = max(1, (validation > 0) + (test > 0))
    if rest == 0 or largest - round(train * largest) < others:
        rule = (
            f"here it is a fraction of all examples, and {train:g} of the {largest} of the "
            f"largest class leaves fewer than the {others} that choose and judge"
        )
        most = (largest - others) / largest
        raise ArgumentError(("train_fraction", f"{rule}; give at most {most:.3g}"))
    return train, (1 - train) * validation / rest, (1 - train) * test / rest


def _without_rows(
    tasks: TaskSet,
    empty: np.ndarray,
) -> str:
    is_lacking = empty.any(axis=0)
    lacking = " and ".join(np.array(PARTS)[is_lacking])
    left_without = empty.sum(axis=1) > 0
    return (
        f"no split gives {_names(tasks, left_without)} rows for {lacking}: the "
        "first rows of a class train, and rows or groups "
        "that tasks share fall in one part; leave such tasks out, or divide without "
        "validation (fractions=(0.8, 0.0, 0.2))"
    )


def _check_groups(
    tasks: TaskSet,
    unit: np.ndarray,
) -> None:
    given = given_parts_of(tasks)
    has_part = given != FREE
    # a unit stands once for every part that its rows have
    unit_and_part = unit[has_part] * len(PARTS) + given[has_part]
    units = pd.Series(pd.unique(unit_and_part) // len(PARTS))
    torn = int(units.duplicated().sum())
    if torn:
        raise ValueError(
            f"{torn} group(s) have rows in several given parts; correct the split column, or "
            "leave out the groups"
        )


def _too_small(
    tasks: TaskSet,
    small: np.ndarray,
    fractions: Fractions,
) -> str:
    has_groups = any(group is not None for group in tasks.groups)
    unit = "groups" if has_groups else "rows"
    rule = "rows in every given part" if tasks.parts else f"at least {least_rows(fractions)} {unit}"
    needed = f"a task needs {rule}, and two classes unless it is a regression"
    return f"{int(small.sum())} task(s) too small to be split: {_names(tasks, small)}; {needed}"


def _names(
    tasks: TaskSet,
    chosen: np.ndarray,
    most: int = MOST_NAMED,
) -> str:
    """The chosen tasks with their rows, the first few of them."""
    numbers = np.flatnonzero(chosen)
    one_class = _one_class(tasks)
    told = []
    for number in numbers[:most]:
        rows = f"{tasks.n_examples[number]} rows"
        why = ", one class" if one_class[number] and tasks.n_examples[number] else ""
        told.append(f"{tasks.tasks[number].label!r} ({rows}{why})")
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return ", ".join(told) + more
