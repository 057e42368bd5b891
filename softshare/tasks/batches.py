"""Which examples of which tasks make a step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.task_set import TaskSet, take

DRAWN_AHEAD = 1 << 18
"""How many example numbers are drawn at a time: enough that drawing costs nothing beside a step."""

LABELS_FOR_SHARED_ROWS = 0.5
"""Share of labels present from which tasks on one input are trained on the same rows of it."""


@dataclass(frozen=True)
class Batch:
    """Examples of ``k`` tasks whose inputs have one form, ``B`` each.

    Args:
        tasks: the tasks' numbers ``(k,)``.
        inputs: ``(k, B, *shape)``, or ``(B, *shape)`` where ``one_input``: the same rows for all of them.
        targets: ``(k, B)``; where a label is missing, any number.
        present: ``(k, B)``, False where a label is missing; None when none is.
        one_input: whether all tasks see the same rows.
    """

    tasks: Tensor
    inputs: Tensor
    targets: Tensor
    present: Tensor | None = None
    one_input: bool = False

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        present = None if self.present is None else self.present.to(device)
        return Batch(self.tasks.to(device), self.inputs.to(device), self.targets.to(device), present, self.one_input)


class Batches:
    """An endless stream of steps, each a tuple of batches: one for every form of input among the tasks.

    **Policy for tasks of unequal size: cycle.** Every step takes ``batch_size`` examples of every task;
    a task that has been gone through begins again in a new order, so a small task is seen more
    often than a large one and every task weighs the same in the objective. An *epoch* is one pass
    through the largest task. No step takes more examples of a task than the largest task has.

    Where all tasks see the same rows (one table, several target columns) and at least half of
    the labels are there, a step takes the same rows for all of them, which costs one look-up and lets
    shared layers run once; with fewer labels each task draws from the rows that are labelled for it.

    The order of a task's examples depends on the seed and the task's name only.

    Args:
        tasks: the training examples, inputs as numbers.
        batch_size: examples of every task in a step.
        seed: of the orders.

    Raises:
        ValueError: ``batch_size`` is not positive, or a task has no examples.
    """

    def __init__(self, tasks: TaskSet, *, batch_size: int, seed: int = 0) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if len(empty := np.flatnonzero(tasks.n_examples == 0)):
            names = ", ".join(repr(tasks.tasks[number].label) for number in empty[:5])
            raise ValueError(f"{len(empty)} task(s) have no training examples: {names}; drop them first")
        self._tasks = tasks
        self._seed = seed
        labels = tasks.n_examples.sum() / (len(tasks) * max(1, len(np.unique(tasks.rows))))
        self.same_rows = tasks.one_input and len(tasks) > 1 and labels >= LABELS_FOR_SHARED_ROWS
        self._streams = [_SameRows(tasks, seed)] if self.same_rows else [_OwnRows(tasks, members, seed) for members in _forms(tasks)]
        self.largest = max(stream.largest for stream in self._streams)
        self.batch_size = min(batch_size, self.largest)

    @property
    def steps_per_epoch(self) -> int:
        """Steps that go once through the largest task."""
        return -(-self.largest // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Batch, ...]]:
        return zip(*(stream.batches(self.batch_size) for stream in self._streams), strict=True)


class _OwnRows:
    """Batches of tasks that each draw their own rows."""

    def __init__(self, tasks: TaskSet, members: np.ndarray, seed: int) -> None:
        self._tasks, self._members, self._seed = tasks, members, seed
        self.largest = int(tasks.n_examples[members].max())
        self._numbers = torch.from_numpy(members)

    def batches(self, batch_size: int) -> Iterator[Batch]:
        tasks = self._tasks
        first = tasks.offsets[self._members]
        sizes = tasks.n_examples[self._members]
        source = tasks.sources[tasks.source_of[self._members[0]]]
        generators = [_generator(self._seed, tasks.tasks[number].name) for number in self._members]
        for order in _orders(sizes, generators, batch_size):
            entries = (first[:, None] + order).ravel()
            inputs = take(source, tasks.rows[entries])
            yield Batch(
                self._numbers,
                inputs.reshape(len(first), batch_size, *inputs.shape[1:]),
                torch.from_numpy(tasks.targets[entries]).to(torch.get_default_dtype()).reshape(len(first), batch_size),
            )


class _SameRows:
    """Batches of tasks on one input that all take the same rows of it."""

    def __init__(self, tasks: TaskSet, seed: int) -> None:
        self._tasks, self._seed = tasks, seed
        self._rows, place = np.unique(tasks.rows, return_inverse=True)
        targets = np.full((len(self._rows), len(tasks)), np.nan)
        targets[place, tasks.task_of] = tasks.targets
        self._targets = torch.from_numpy(targets).to(torch.get_default_dtype())
        self._complete = not bool(self._targets.isnan().any())
        self.largest = len(self._rows)

    def batches(self, batch_size: int) -> Iterator[Batch]:
        numbers = torch.arange(len(self._tasks))
        source = self._tasks.sources[self._tasks.source_of[0]]
        for order in _orders(np.array([self.largest]), [_generator(self._seed, None)], batch_size):
            targets = self._targets[torch.from_numpy(order[0])].T
            present = None if self._complete else ~targets.isnan()
            yield Batch(numbers, take(source, self._rows[order[0]]), targets.nan_to_num(), present, one_input=True)


def _forms(tasks: TaskSet) -> list[np.ndarray]:
    """The tasks grouped by the source that they read."""
    return [np.flatnonzero(tasks.source_of == source) for source in np.unique(tasks.source_of)]


def _orders(sizes: np.ndarray, generators: list[np.random.Generator], batch_size: int) -> Iterator[np.ndarray]:
    """Endless ``(k, batch_size)`` numbers below ``sizes``, each row going through its own permutations."""
    ahead = max(1, DRAWN_AHEAD // (len(sizes) * batch_size)) * batch_size
    left = [np.empty(0, dtype=np.int64) for _ in sizes]
    while True:
        block = np.empty((len(sizes), ahead), dtype=np.int64)
        for k, (size, generator) in enumerate(zip(sizes, generators, strict=True)):
            missing = ahead - len(left[k])
            drawn = [left[k], *(generator.permutation(size) for _ in range(max(0, -(-missing // size))))]
            stream = np.concatenate(drawn)
            block[k], left[k] = stream[:ahead], stream[ahead:]
        for begin in range(0, ahead, batch_size):
            yield block[:, begin : begin + batch_size]


def _generator(seed: int, name: object) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}\0batches\0{name!r}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
