"""Which rows of an experiment's tasks train, validate and test under a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from softshare.tasks.random_keys import key_of
from softshare.tasks.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    Split,
    given_parts_of,
    labels_of,
    split,
    units_of,
)
from softshare.tasks.stratify import stratified
from softshare.tasks.task_set import FRACTIONS, Fractions, TaskSet

Division = Callable[[TaskSet, int], Split]
"""(tasks, seed) → split; a frozen dataclass that can be called, or a function of a module."""


@dataclass(frozen=True)
class ByFraction:
    """Parts by fractions, task by task and class by class, as :func:`softshare.tasks.splits.split`
    draws them; a given test part stays.

    Args:
        train: the fraction of the training part that trains, or task → fraction; of all examples
            where the tasks say so
            (:attr:`~softshare.tasks.task_set.TaskSet.train_fraction_of_all`).
        parts: of training, validation and test.
        most_test: so many test rows judge at most, of every task the first ones.
    """

    train: float | Mapping[str, float] = 1.0
    parts: Fractions = FRACTIONS
    most_test: int | None = None

    def __call__(
        self,
        tasks: TaskSet,
        seed: int,
    ) -> Split:
        """The split of a seed."""
        if isinstance(self.train, Mapping):
            drawn = self._task_by_task(tasks, seed, self.train)
        else:
            drawn = split(tasks, seed=seed, fractions=self.parts, train_fraction=self.train)
        return with_fewer_tests(tasks, drawn, self.most_test)

    def _task_by_task(
        self,
        tasks: TaskSet,
        seed: int,
        fractions: Mapping[str, float],
    ) -> Split:
        """Each task's entries as the split at its own fraction has them."""
        of_task = np.array([fractions[task.label] for task in tasks.tasks])
        training: list[np.ndarray] = []
        validation: list[np.ndarray] = []
        test: list[np.ndarray] = []
        for fraction in sorted(set(fractions.values())):
            drawn = split(tasks, seed=seed, fractions=self.parts, train_fraction=fraction)
            parts = (drawn.train, drawn.validation, drawn.test)
            for part, kept in zip(parts, (training, validation, test), strict=True):
                kept.append(part[of_task[tasks.task_of[part]] == fraction])
        return Split(*(np.sort(np.concatenate(kept)) for kept in (training, validation, test)))


@dataclass(frozen=True)
class ByCount:
    """So many examples of every task train and validate, and all others test.

    Where the test part is given it alone tests; examples that are left over are in no part. Where
    tasks see the same rows, the counts are of rows.

    Args:
        train: examples of every task, or task → examples.
        validation: likewise.
        most_test: so many test rows judge at most, of every task the first ones.
    """

    train: int | Mapping[str, int]
    validation: int | Mapping[str, int] = 0
    most_test: int | None = None

    def __call__(
        self,
        tasks: TaskSet,
        seed: int,
    ) -> Split:
        """The split of a seed: a smaller training part lies within a larger one."""
        part = given_parts_of(tasks)
        has_test_part = bool((part == TEST).any())
        chosen = np.full(len(part), TEST if not has_test_part else -1)
        chosen[part == TEST] = TEST
        for number, task in enumerate(tasks.tasks):
            entries = np.arange(len(part))[tasks.entries(number)]
            free = entries[part[entries] != TEST]
            order = _order(tasks, number, len(free), seed)
            n_train, n_validation = (
                self._count(counts, task.label) for counts in (self.train, self.validation)
            )
            _require_enough(task.label, len(free), n_train + n_validation)
            chosen[free[order[:n_train]]] = TRAIN
            chosen[free[order[n_train : n_train + n_validation]]] = VALIDATION
        drawn = Split(*(np.flatnonzero(chosen == each) for each in (TRAIN, VALIDATION, TEST)))
        return with_fewer_tests(tasks, drawn, self.most_test)

    @staticmethod
    def _count(
        counts: int | Mapping[str, int],
        task: str,
    ) -> int:
        return counts if isinstance(counts, int) else counts[task]


@dataclass(frozen=True)
class InTurn:
    """Several divisions in turn: of seed 0 the first, of seed 1 the second, and so on.

    Args:
        divisions: of which each has its turn; after the last comes the first again.
    """

    divisions: tuple[Division, ...]

    def __call__(
        self,
        tasks: TaskSet,
        seed: int,
    ) -> Split:
        """The split of a seed."""
        return self.divisions[seed % len(self.divisions)](tasks, seed)


def with_fewer_tests(
    tasks: TaskSet,
    drawn: Split,
    most: int | None,
) -> Split:
    """The split with the first so many test rows of every task; all when None."""
    if most is None:
        return drawn
    task_of = tasks.task_of[drawn.test]
    kept = [drawn.test[task_of == number][:most] for number in range(len(tasks))]
    return replace(drawn, test=np.concatenate(kept))


def held_out(
    tasks: TaskSet,
    drawn: Split,
    fraction: float,
    seed: int,
) -> Split:
    """The split with a fraction of its training part as validation part, drawn class by class.

    Nothing tests: whoever chooses by this never sees the test part.
    """
    label, unit = labels_of(tasks), units_of(tasks)
    part = stratified(
        tasks.select(drawn.train),
        label[drawn.train],
        unit[drawn.train],
        np.array([1 - fraction, fraction, 0.0]),
        seed=f"{seed}/held out",
    )
    nothing = drawn.test[:0]
    return Split(drawn.train[part == TRAIN], drawn.train[part == VALIDATION], nothing)


def with_spare(
    tasks: TaskSet,
    drawn: Split,
    count: int,
    seed: int,
) -> Split:
    """The split with so many examples of every task that are in no part as validation part.

    Nothing tests, as in :func:`held_out`; and all of the training part trains.
    """
    in_a_part = np.zeros(len(tasks.task_of), dtype=bool)
    for part in (drawn.train, drawn.validation, drawn.test):
        in_a_part[part] = True
    validation = []
    for number, task in enumerate(tasks.tasks):
        entries = np.arange(len(in_a_part))[tasks.entries(number)]
        free = entries[~in_a_part[entries]]
        _require_enough(task.label, len(free), count)
        validation.append(free[_order(tasks, number, len(free), f"{seed}/spare")[:count]])
    return Split(drawn.train, np.sort(np.concatenate(validation)), drawn.test[:0])


def _order(
    tasks: TaskSet,
    number: int,
    count: int,
    seed: int | str,
) -> np.ndarray:
    """A random order of so many examples of a task; tasks of the same rows have the same one."""
    key = "rows" if tasks.one_input else tasks.tasks[number].label
    return np.random.default_rng(key_of(seed, key)).permutation(count)


def _require_enough(
    task: str,
    there: int,
    wanted: int,
) -> None:
    if wanted > there:
        raise ValueError(
            f"task {task!r} has {there} examples to draw from, {wanted} are asked for; give "
            "smaller counts"
        )
