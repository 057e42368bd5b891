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
            entries = getattr(self, part).astype("<i8")
            digest.update(len(entries).to_bytes(8, "little") + entries.tobytes())
        return digest.hexdigest()

    def as_dict(self) -> dict[str, list[int]]:
        """The split as plain lists, for JSON."""
        return {part: getattr(self, part).tolist() for part in PARTS}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Sequence[int]]) -> Split:
        """The split that :meth:`as_dict` wrote."""
        return cls(**{part: np.asarray(parts[part], dtype=np.int64) for part in PARTS})


def split(
    tasks: TaskSet, *, seed: int, fractions: Fractions = FRACTIONS, train_fraction: float = 1.0
) -> Split:
    """Divide the examples of every task, by task and class.

    A row that serves several tasks (one input for all), and the rows of one group, fall in one
    part; fractions are then of rows, or of groups. A class of three rows or more is found in every
    part; what there is less of goes to training first, then to the test set.

    Given parts (``tasks.parts``) stay: the test rows are the test set, and where no row is given
    for
    validation, the share ``validation / (train + validation)`` of the given training rows is taken.

    Where ``tasks.train_fraction_of_all``, ``train_fraction`` is a share of all examples of a class (of
    the 20 drawings of a character), and the rest is divided as ``validation : test``; a smaller
    share still lies within a larger one where no rows
    are grouped.

    Draws depend on the seed and, where rows belong to one task, its name: the order of the tasks
    and
    which others there are change nothing.

    Args:
        tasks: what to divide.
        seed: of all draws.
        fractions: shares of training, validation and test, which add up to 1.
        train_fraction: share of the training part that is kept, with at least one example of every
            class in it and two of every task. Validation and test do not depend on it, and a
            smaller share lies within a larger one.

    Raises:
        ValueError: a fraction is out of range, a task has too few rows or groups for the parts or
            one class only.
    """
    _check_fractions(fractions, train_fraction)
    label, unit = labels_of(tasks), units_of(tasks)
    if tasks.train_fraction_of_all:
        fractions, train_fraction = (
            _with_train_share(fractions, train_fraction, np.bincount(label, minlength=1).max()),
            1.0,
        )
    small = small_tasks(tasks, fractions)
    if small.any():
        raise ArgumentError(
            ("tasks", _too_small(tasks, small, fractions)),
            ("drop_small_tasks", "leaves them out, with these fractions"),
        )
    _check_groups(tasks, unit)
    for attempt in range(
        20
    ):  # a small task whose rows serve others too may be left without a part: draw again
        part = _divide(tasks, label, unit, fractions, seed=f"{seed}/{attempt}")
        empty = (_counts(tasks, part) == 0) & (np.array(fractions) > 0)
        if not empty.any():
            break
    else:
        raise ValueError(_without_rows(tasks, empty))
    train = np.flatnonzero(part == 0)
    kept = (
        train[thinned(tasks.select(train), label[train], train_fraction, seed=f"{seed}/thin")]
        if train_fraction < 1
        else train
    )
    return Split(kept, np.flatnonzero(part == 1), np.flatnonzero(part == 2))


def small_tasks(tasks: TaskSet, fractions: Fractions = FRACTIONS) -> np.ndarray:
    """Which tasks are too small to be split: too few rows (or groups) for the parts, or one class
    only.

    Shape:
        ``(T,)`` booleans.
    """
    given, unit = _given_parts(tasks), units_of(tasks)
    n_units = int(unit.max(initial=0)) + 1
    distinct = (
        pd.unique((tasks.task_of * 4 + given + 1) * n_units + unit) // n_units
    )  # (task, part) of every unit
    free, train, validation, test = np.bincount(distinct, minlength=4 * len(tasks)).reshape(-1, 4).T
    divided = train < 1 + (fractions[1] > 0)  # training rows must do for validation too
    given_small = (train == 0) | (test == 0) | (validation == 0 if (given == 1).any() else divided)
    return np.where(
        train + validation + test > 0, given_small, free < least_rows(fractions)
    ) | _one_class(tasks)


def least_rows(fractions: Fractions = FRACTIONS) -> int:
    """How many rows (or groups) a task needs, so that the smallest part has one of them."""
    return math.ceil(1 / min(fraction for fraction in fractions if fraction > 0) - 1e-9)


def drop_small_tasks(
    tasks: TaskSet, *, fractions: Fractions = FRACTIONS, train_fraction: float = 1.0
) -> TaskSet:
    """The same set without the tasks that :func:`split` with these fractions would refuse, and a
    note that says which.

    Raises:
        ValueError: no task is left.
    """
    if tasks.train_fraction_of_all and train_fraction < 1:
        fractions = _with_train_share(
            fractions, train_fraction, np.bincount(labels_of(tasks), minlength=1).max()
        )
    small = small_tasks(tasks, fractions)
    if small.all():
        raise ValueError(f"no task is left: {_too_small(tasks, small, fractions)}")
    if not small.any():
        return tasks
    kept = tasks.keep_tasks(np.flatnonzero(~small))
    return replace(kept, notes=(*tasks.notes, f"left out: {_too_small(tasks, small, fractions)}"))


def labels_of(tasks: TaskSet) -> np.ndarray:
    """The label of every entry: a number for its task and class, one for all of a regression task.

    Classes of one task with fewer than three rows are one label together, so that they are divided
    as one.
    """
    regression = np.array([task.kind == "regression" for task in tasks.tasks])[tasks.task_of]
    classes = np.where(regression, 0, tasks.targets).astype(np.int64)
    n_classes = int(classes.max(initial=0)) + 2
    label, _ = pd.factorize(tasks.task_of * n_classes + classes)
    rare = np.bincount(label)[label] < len(PARTS)
    return pd.factorize(tasks.task_of * n_classes + np.where(rare, n_classes - 1, classes))[0]


def _divide(
    tasks: TaskSet, label: np.ndarray, unit: np.ndarray, fractions: Fractions, seed: str
) -> np.ndarray:
    """The part of every entry, shape ``(entries,)``."""
    given = _given_parts(tasks)
    part = given.copy()
    shares = (
        {-1: fractions}
        if (given == 1).any()
        else {-1: fractions, 0: (fractions[0], fractions[1], 0.0)}
    )
    for which, wanted in shares.items():
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
    codes = (
        pd.factorize(np.concatenate(named), sort=True)[0] if named else np.empty(0, dtype=np.int64)
    )
    numbers, group_at, row_at = [], 0, len(codes)
    for source, group in zip(tasks.sources, groups, strict=True):
        numbers.append(
            np.arange(row_at, row_at + len(source))
            if group is None
            else codes[group_at : group_at + len(source)]
        )
        group_at, row_at = (
            group_at + (len(source) if group is not None else 0),
            row_at + len(source),
        )
    return _of_rows(tasks, numbers)


def _given_parts(tasks: TaskSet) -> np.ndarray:
    """For every entry the number of its given part, -1 where its source has none."""
    numbers = []
    for source, part in zip(
        tasks.sources, tasks.parts or (None,) * len(tasks.sources), strict=True
    ):
        numbers.append(
            np.full(len(source), -1)
            if part is None
            else pd.Index(PARTS).get_indexer(pd.Index(part))
        )
        if part is not None and (numbers[-1] < 0).any():
            raise ValueError(
                f"given parts must be {', '.join(PARTS)}, found {part[numbers[-1].argmin()]!r}"
            )
    return _of_rows(tasks, numbers)


def _of_rows(tasks: TaskSet, columns: Sequence[np.ndarray]) -> np.ndarray:
    """For every entry the value of its row, from a column a source."""
    first = np.concatenate([[0], np.cumsum([len(column) for column in columns])])
    return np.concatenate(columns)[first[tasks.source_of][tasks.task_of] + tasks.rows]


def _counts(tasks: TaskSet, part: np.ndarray) -> np.ndarray:
    """Entries of every task in every part, shape ``(T, 3)``."""
    return np.bincount(
        tasks.task_of * len(PARTS) + part, minlength=len(tasks) * len(PARTS)
    ).reshape(-1, len(PARTS))


def _one_class(tasks: TaskSet) -> np.ndarray:
    """Which classification tasks have labels of one class only, shape ``(T,)``."""
    changes = np.flatnonzero(np.diff(tasks.targets) != 0) + 1
    inside = (
        changes[tasks.task_of[changes] == tasks.task_of[changes - 1]] if len(changes) else changes
    )
    several = np.bincount(tasks.task_of[inside], minlength=len(tasks)) > 0
    return ~several & np.array([task.kind != "regression" for task in tasks.tasks])


def _check_fractions(fractions: Fractions, train_fraction: float) -> None:
    if (
        len(fractions) != 3
        or fractions[0] <= 0
        or min(fractions) < 0
        or abs(sum(fractions) - 1) > 1e-6
    ):
        raise ValueError(
            "fractions must be three shares (train > 0, validation, test) that add up to "
            f"1, got {tuple(fractions)}"
        )
    if not 0 < train_fraction <= 1:
        raise ValueError(f"train_fraction must be above 0 and at most 1, got {train_fraction}")


def _with_train_share(fractions: Fractions, share: float, largest: int) -> Fractions:
    """This share for training, the rest, some even of the largest class, divided as the fractions
    for validation and test are.
    """
    rest, others = (
        fractions[1] + fractions[2],
        max(1, sum(fraction > 0 for fraction in fractions[1:])),
    )
    if rest == 0 or largest - round(share * largest) < others:
        rule = (
            f"here it is a fraction of all examples, and {share:g} of the {largest} of the "
            f"largest class leaves fewer than the {others} that choose and judge"
        )
        most = (largest - others) / largest
        raise ArgumentError(("train_fraction", f"{rule}; give at most {most:.3g}"))
    return share, (1 - share) * fractions[1] / rest, (1 - share) * fractions[2] / rest


def _without_rows(tasks: TaskSet, empty: np.ndarray) -> str:
    lacking = " and ".join(part for number, part in enumerate(PARTS) if empty[:, number].any())
    return (
        f"no split gives {_names(tasks, empty.sum(axis=1) > 0)} rows for {lacking}: the "
        "first rows of a class train, and rows or groups "
        "that tasks share fall in one part; leave such tasks out, or divide without "
        "validation (fractions=(0.8, 0.0, 0.2))"
    )


def _check_groups(tasks: TaskSet, unit: np.ndarray) -> None:
    given = _given_parts(tasks)
    known = pd.unique(unit[given >= 0] * len(PARTS) + given[given >= 0]) // len(PARTS)
    torn = pd.Series(known).duplicated()
    if torn.any():
        raise ValueError(
            f"{int(torn.sum())} group(s) have rows in several given parts; correct the "
            "split column, or leave out the groups"
        )


def _too_small(tasks: TaskSet, small: np.ndarray, fractions: Fractions) -> str:
    unit = "groups" if any(group is not None for group in tasks.groups) else "rows"
    rule = "rows in every given part" if tasks.parts else f"at least {least_rows(fractions)} {unit}"
    needed = f"a task needs {rule}, and two classes unless it is a regression"
    return f"{int(small.sum())} task(s) too small to be split: {_names(tasks, small)}; {needed}"


def _names(tasks: TaskSet, chosen: np.ndarray, most: int = 5) -> str:
    numbers = np.flatnonzero(chosen)
    one_class = _one_class(tasks)
    told = [
        f"{tasks.tasks[k].label!r} ({tasks.n_examples[k]} "
        f"rows{', one class' if one_class[k] else ''})"
        for k in numbers[:most]
    ]
    return ", ".join(told) + (f" and {len(numbers) - most} more" if len(numbers) > most else "")
