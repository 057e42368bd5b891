"""Which examples of which tasks make a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.ahead import ahead
from softshare.tasks.batch import Augment, Batch, Plan, SameRows, augmented, own_rows
from softshare.tasks.orders import Orders
from softshare.tasks.random_keys import key_of, seeded
from softshare.tasks.sources import may_draw
from softshare.tasks.task_draws import POLICIES, Policy, TaskDraws, probabilities
from softshare.tasks.task_set import TaskSet

__all__ = ["Augment", "Batch", "Batches", "Policy"]

DRAWN_AHEAD = 1 << 14
"""How many example numbers are drawn at a time: few enough to stay in the processor's cache."""

LABELS_FOR_SHARED_ROWS = 0.5
"""Fraction of labels present from which tasks on one input are trained on the same rows of it."""

READ_AHEAD = 2
"""Steps read ahead where inputs are not held in memory."""


class Batches:
    """An endless stream of steps, each a tuple of batches: one for every source of inputs among the
    step's tasks.

    A step takes ``batch_size`` examples of each of ``tasks_per_step`` tasks, all tasks by default.
    A task that has been gone through begins again in a new order. The policy says which tasks come
    how often and what an *epoch* is. The objective adds up the mean losses of a step's tasks, so a
    task weighs in it as often as the task comes:

    * ``"cycle"``: all tasks equally often, so every task weighs the same and the examples of a
      small task come more often than those of a large one. With fewer tasks a step than there are,
      every task comes once, in random order, before any comes again. An epoch is one pass through
      the largest task.
    * ``"shortest"``: as ``"cycle"``, but an epoch ends before the smallest task would begin again,
      and at the next one all tasks begin a new order of which too little is left: no example comes
          twice in an epoch (unless steps take some tasks of several
      on the same rows).
    * ``"proportional"``: tasks are drawn with a probability in proportion to their number of
      examples, with replacement, so every example weighs the same, and a task as much as it has
      examples. An epoch is as many examples as there are; each comes once on average.
    * ``"temperature"``: tasks are drawn in proportion to ``examples^(1/temperature)``: 1 is
      ``"proportional"``, a high temperature comes near ``"cycle"``. An epoch as in
      ``"proportional"``.

    Where all tasks see the same rows (one table, several target columns) and at least half of the
    labels are there, a step takes the same rows for its tasks, which costs one look-up and lets
    shared layers run once; missing labels are masked, and each task counts as many examples as
    there are rows. With fewer labels each task draws from the rows that are labelled for it.

    The order of a task's examples depends on the seed and the task's name only. It is computed
    where it is
    needed: a million tasks cost one number each, and a step what its own examples cost.

    Args:
        tasks: the training examples, inputs as numbers.
        batch_size: examples of each task in a step; no more than the largest task has (for
            ``"shortest"`` the smallest).
        seed: of the orders and draws.
        policy: which tasks make a step.
        tasks_per_step: ``k``, from 1 to the number of tasks; all when None.
        temperature: of ``"temperature"``, above 0.
        augment: changes a step's inputs at random; what it draws depends on the seed and the step
            only.
        read_ahead: steps that a background thread reads ahead; when None, 2 where inputs are read
            from disk, and 0 where they are in memory or reading them may draw random numbers
            (:func:`softshare.data.datasets.from_datasets`). The steps are the same, but for such
            draws: without reading ahead they depend on the seed and the step, else on all that
                draws meanwhile.

    Raises:
        ValueError: an argument is out of range, or a task has no examples.
    """

    def __init__(
        self,
        tasks: TaskSet,
        *,
        batch_size: int,
        seed: int = 0,
        policy: Policy = "cycle",
        tasks_per_step: int | None = None,
        temperature: float = 5.0,
        augment: Augment | None = None,
        read_ahead: int | None = None,
    ) -> None:
        _check(
            tasks,
            batch_size,
            policy,
            tasks_per_step,
            temperature,
        )
        self._tasks, self._seed, self._augment = tasks, seed, augment
        self._policy, self._probabilities = (
            policy,
            probabilities(tasks.n_examples, policy, temperature),
        )
        self.tasks_per_step = len(tasks) if tasks_per_step is None else tasks_per_step
        sources = [tasks.sources[number] for number in np.unique(tasks.source_of)]
        draws, in_memory = (
            any(map(may_draw, sources)),
            all(isinstance(source, Tensor) for source in sources),
        )
        self._read_ahead = (
            read_ahead if read_ahead is not None else 0 if in_memory or draws else READ_AHEAD
        )
        self._seed_reading = draws and not self._read_ahead
        self._same_rows = SameRows(tasks) if _suits_same_rows(tasks) else None
        self._sizes = (
            tasks.n_examples
            if self._same_rows is None
            else np.full(len(tasks), len(self._same_rows.rows))
        )
        self.batch_size = min(
            batch_size, int(self._sizes.min() if policy == "shortest" else self._sizes.max())
        )

    @property
    def same_rows(self) -> bool:
        """Whether a step takes the same rows for all its tasks."""
        return self._same_rows is not None

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, rounded up (for ``"shortest"`` down, but at least one)."""
        examples = self.batch_size * self.tasks_per_step
        if self._policy == "shortest":
            return max(
                1,
                int(self._sizes.min()) // self.batch_size * len(self._tasks) // self.tasks_per_step,
            )
        if self._policy == "cycle":
            return -(
                -(-(-int(self._sizes.max()) // self.batch_size) * len(self._tasks))
                // self.tasks_per_step
            )
        return -(-int(self._sizes.sum()) // examples)

    def __iter__(self) -> Iterator[tuple[Batch, ...]]:
        return self.after(0)

    def after(self, steps: int) -> Iterator[tuple[Batch, ...]]:
        """What comes after so many steps, of which no example is read again."""
        plans = islice(self._plans(), steps, None)
        if self._read_ahead:
            return ahead(self._read, plans, self._read_ahead)
        return map(self._read, plans)

    def _plans(self) -> Iterator[Plan]:
        draws = TaskDraws(
            self._probabilities,
            n_tasks=len(self._tasks),
            per_step=self.tasks_per_step,
            seed=self._seed,
        )
        names = (task.name for task in self._tasks.tasks) if self._same_rows is None else (None,)
        sizes = self._sizes if self._same_rows is None else self._sizes[:1]
        orders = Orders(
            sizes,
            np.fromiter(
                (key_of(self._seed, name) for name in names), dtype=np.uint64, count=len(sizes)
            ),
        )
        at_once = max(1, DRAWN_AHEAD // (self.tasks_per_step * self.batch_size))
        steps = count()
        while True:
            if self._policy == "shortest":
                draws.new_round()
                orders.make_room(self._sizes.min() // self.batch_size * self.batch_size)
            until = self.steps_per_epoch if self._policy == "shortest" else at_once
            for begin in range(0, until, at_once):
                n_steps = min(at_once, until - begin)
                chosen = draws.take(n_steps)
                lists = (
                    chosen if self._same_rows is None else np.zeros((n_steps, 1), dtype=np.int64)
                )
                examples = orders.take(lists.ravel(), self.batch_size).reshape(
                    *lists.shape, self.batch_size
                )
                yield from map(
                    Plan,
                    steps,
                    chosen,
                    examples,
                )

    def _read(self, plan: Plan) -> tuple[Batch, ...]:
        key = key_of(self._seed, ("read", plan.step))
        with seeded(key) if self._seed_reading else nullcontext():
            batches = (
                own_rows(self._tasks, plan)
                if self._same_rows is None
                else (self._same_rows.read(plan),)
            )
        if self._augment is None:
            return batches
        generator = torch.Generator().manual_seed(key_of(self._seed, ("augment", plan.step)) >> 1)
        return tuple(augmented(batch, self._augment, generator) for batch in batches)


def _suits_same_rows(tasks: TaskSet) -> bool:
    if not tasks.one_input or len(tasks) == 1:
        return False
    n_rows = len(np.unique(tasks.rows))
    n_labels = len(tasks) * n_rows
    return len(tasks.rows) >= LABELS_FOR_SHARED_ROWS * n_labels


def _check(
    tasks: TaskSet,
    batch_size: int,
    policy: str,
    tasks_per_step: int | None,
    temperature: float,
) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if policy not in POLICIES:
        raise ValueError(f"policy must be one of {', '.join(POLICIES)}, got {policy!r}")
    if tasks_per_step is not None and not 1 <= tasks_per_step <= len(tasks):
        raise ValueError(
            f"tasks_per_step must be from 1 to the number of tasks, {len(tasks)}, got "
            f"{tasks_per_step}"
        )
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be above 0 and finite, got {temperature}")
    if len(empty := np.flatnonzero(tasks.n_examples == 0)):
        names = ", ".join(repr(tasks.tasks[number].label) for number in empty[:5])
        raise ValueError(
            f"{len(empty)} task(s) have no training examples: {names}; drop them first"
        )
