"""Tasks that differ in form, or are too many for one array, learned some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softshare.methods.method import Learned, State
from softshare.tasks.task import Task, no_such_task
from softshare.tasks.task_set import TaskSet

Form = tuple[str, int, tuple[int, ...]]
"""Of a task: its kind, its number of outputs, and its inputs' shape."""

MOST_NUMBERS = 1 << 25
"""Inputs of tasks that are learned apart and at once, 128 MiB of them."""


def forms(tasks: TaskSet) -> list[list[int]]:
    """The numbers of tasks that are alike in form, in their order."""
    of_form: dict[Form, list[int]] = {}
    for number in range(len(tasks)):
        of_form.setdefault(_form(tasks, number), []).append(number)
    return list(of_form.values())


def small_pieces(tasks: TaskSet) -> list[list[int]]:
    """The same, divided where their inputs would be too many for one array."""
    pieces = []
    for alike in forms(tasks):
        width = int(np.prod(tasks.input_shape(alike[0])))
        piece: list[int] = []
        total = 0
        for number in alike:
            size = width * int(tasks.n_examples[number])
            if piece and total + size > MOST_NUMBERS:
                pieces.append(piece)
                piece, total = [], 0
            piece.append(number)
            total += size
        pieces.append(piece)
    return pieces


def learned_in_pieces(
    pieces: Sequence[Sequence[int]], train: TaskSet, learn: Callable[[TaskSet], Learned]
) -> Learned:
    """What is learned of each piece of a task set.

    Args:
        pieces: the numbers of their tasks.
        train: the training examples, prepared.
        learn: learns the tasks of one piece.
    """
    if len(pieces) == 1:
        return learn(train)
    learned = [learn(train.keep_tasks(piece)) for piece in pieces]
    return LearnedPieces(learned, [tuple(piece) for piece in pieces], train.tasks)


def restored_pieces(
    state: State, tasks: TaskSet, restore: Callable[[State, TaskSet], Learned]
) -> Learned:
    """The same from its state.

    Args:
        state: of pieces, or of what was learned at once.
        tasks: those that were learned.
        restore: makes one piece of its state again.
    """
    if "pieces" not in state:
        return restore(state, tasks)
    learned = []
    numbers = []
    for piece in state["pieces"]:
        own = tuple(int(number) for number in piece["tasks"])
        if not own or max(own) >= len(tasks):
            raise ValueError(f"a state of {len(tasks)} tasks is needed, got one of tasks {own}")
        learned.append(restore(piece["learned"], tasks.keep_tasks(own)))
        numbers.append(own)
    return LearnedPieces(learned, numbers, tasks.tasks)


@dataclass(frozen=True, eq=False)
class LearnedPieces(Learned):
    """Several predictors, each of some of the tasks.

    Args:
        learned: what was learned of each piece.
        numbers: of the pieces' tasks.
        tasks: all of them.
    """

    learned: Sequence[Learned]
    numbers: Sequence[tuple[int, ...]]
    tasks: tuple[Task, ...]

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`."""
        piece_of = {}
        for piece, numbers in enumerate(self.numbers):
            for number in numbers:
                piece_of[self.tasks[number].name] = piece
        for task in tasks.tasks:
            if task.name not in piece_of:
                raise no_such_task(task.name, self.tasks)
        outputs: dict[int, np.ndarray] = {}
        for piece, learned in enumerate(self.learned):
            asked = [
                place for place, task in enumerate(tasks.tasks) if piece_of[task.name] == piece
            ]
            if asked:
                said = learned.predict(tasks.keep_tasks(asked))
                outputs.update(zip(asked, said, strict=True))
        return [outputs[place] for place in range(len(tasks))]

    def state(self) -> State:
        """See :meth:`Learned.state`."""
        pieces = [
            {"tasks": list(numbers), "learned": learned.state()}
            for numbers, learned in zip(self.numbers, self.learned, strict=True)
        ]
        return {"pieces": pieces}

    @property
    def n_parameters(self) -> int | None:
        """Those of all pieces, or None where some have none to count."""
        counts = [learned.n_parameters for learned in self.learned]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    @property
    def out_of_fold(self) -> Sequence[np.ndarray] | None:
        """See :attr:`Learned.out_of_fold`."""
        outputs: dict[int, np.ndarray] = {}
        for numbers, learned in zip(self.numbers, self.learned, strict=True):
            said = learned.out_of_fold
            if said is None:
                return None
            outputs.update(zip(numbers, said, strict=True))
        return [outputs[number] for number in range(len(self.tasks))]

    @property
    def decided(self) -> Mapping[str, Any]:
        """What each piece has decided, where they have decided something."""
        pieces = [
            {"tasks": labels, **learned.decided}
            for labels, learned in zip(self._labels(), self.learned, strict=True)
            if learned.decided
        ]
        return {"pieces": pieces} if pieces else {}

    def _labels(self) -> Iterator[list[str]]:
        for numbers in self.numbers:
            yield [self.tasks[number].label for number in numbers]


def _form(tasks: TaskSet, number: int) -> Form:
    task = tasks.tasks[number]
    return task.kind, task.n_outputs, tuple(tasks.input_shape(number))
