"""Several tasks and their examples, held in columns.

A task set never holds one Python object an example, nor one array a task: all examples stand in a
few long arrays (compressed sparse rows), so a hundred thousand tasks cost what their rows cost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.targets import encode_target
from softshare.tasks.task import Kind, Task, TaskName

Source = Any
"""What inputs are read from: anything with a length that an integer array can index in dim 0 — a
tensor, a NumPy array or memory map, or a data frame whose columns are not numbers yet."""


@dataclass(frozen=True)
class TaskSet:
    """Named tasks, their inputs and their targets.

    An *entry* is one labelled example of one task. Entries are sorted by task; those of task ``t``
    are ``offsets[t]:offsets[t + 1]``. A missing label is an entry that does not exist: it costs
    nothing and teaches nothing.

    Args:
        tasks: the tasks, in the order of the task axis.
        sources: where inputs come from; tasks of one input form share a source.
        source_of: for every task the number of its source.
        offsets: where each task's entries begin.
        rows: for every entry its row in the task's source.
        targets: for every entry its target (0/1, number of the class, or the value itself).
        one_input: every task sees the same rows (one table with several target columns), so a
            batch of rows serves all tasks at once.
        groups: for every source the group of each row (a patient), or None; a split keeps the
            rows of one group together.
        parts: for every source the given part of each row (``"train"``, ``"validation"``,
            ``"test"``), or None; see :func:`softshare.tasks.splits.split`.
        preprocessing: for every source what turned its raw columns into numbers, or None.
        target_scaling: mean and standard deviation by which regression targets were
            standardised, shape ``(T, 2)``, or None while targets are in their own units.
        notes: what was done to the data that its owner should know (imputed columns, dropped tasks).

    Shape:
        source_of ``(T,)``, offsets ``(T + 1,)``, rows and targets ``(entries,)``.
    """

    tasks: tuple[Task, ...]
    sources: tuple[Source, ...]
    source_of: np.ndarray
    offsets: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    one_input: bool = False
    groups: tuple[np.ndarray | None, ...] = ()
    parts: tuple[np.ndarray | None, ...] = ()
    preprocessing: tuple[Any, ...] = ()
    target_scaling: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def from_arrays(cls, data: Mapping[TaskName, tuple[Any, Any]], *, kinds: Mapping[TaskName, Kind] | Kind | None = None) -> TaskSet:
        """Tasks with inputs of their own.

        Args:
            data: task name → (inputs ``(N_t, *shape_t)``, targets ``(N_t,)``); shapes and numbers of
                examples may differ between tasks.
            kinds: the kind of every task, or of all; inferred where not given (see :func:`softshare.tasks.targets.infer_kind`).

        Raises:
            ValueError: there is no task, or a task's inputs and targets differ in length.
        """
        if not data:
            raise ValueError("a task set needs at least one task, got an empty mapping")
        columns = [encode_target(name, target, _kind_of(kinds, name)) for name, (_, target) in data.items()]
        inputs = [as_source(source) for source, _ in data.values()]
        for (task, values), source in zip(columns, inputs, strict=True):
            if len(values) != len(source):
                raise ValueError(f"task {task.label!r}: {len(source)} inputs but {len(values)} targets")
        kept = [np.flatnonzero(~np.isnan(values)) for _, values in columns]
        return cls(
            tasks=tuple(task for task, _ in columns),
            sources=tuple(inputs),
            source_of=np.arange(len(inputs)),
            offsets=np.concatenate([[0], np.cumsum([len(rows) for rows in kept])]),
            rows=np.concatenate(kept),
            targets=np.concatenate([values[rows] for (_, values), rows in zip(columns, kept, strict=True)]),
        ).merge_sources()

    @classmethod
    def from_shared_inputs(cls, inputs: Any, targets: Mapping[TaskName, Any], *, kinds: Mapping[TaskName, Kind] | Kind | None = None) -> TaskSet:
        """One input for all tasks, a column of targets per task, some labels missing (NaN or None).

        Args:
            inputs: ``(N, *shape)``.
            targets: task name → ``(N,)``.
            kinds: the kind of every task, or of all; inferred where not given.

        Raises:
            ValueError: there is no task, or a column's length is not N.
        """
        if not targets:
            raise ValueError("a task set needs at least one task, got an empty mapping")
        source = as_source(inputs)
        columns = [encode_target(name, target, _kind_of(kinds, name)) for name, target in targets.items()]
        for task, values in columns:
            if len(values) != len(source):
                raise ValueError(f"task {task.label!r}: {len(values)} targets for {len(source)} inputs")
        kept = [np.flatnonzero(~np.isnan(values)) for _, values in columns]
        return cls(
            tasks=tuple(task for task, _ in columns),
            sources=(source,),
            source_of=np.zeros(len(columns), dtype=np.int64),
            offsets=np.concatenate([[0], np.cumsum([len(rows) for rows in kept])]),
            rows=np.concatenate(kept),
            targets=np.concatenate([values[rows] for (_, values), rows in zip(columns, kept, strict=True)]),
            one_input=True,
        )

    def __len__(self) -> int:
        return len(self.tasks)

    def __repr__(self) -> str:
        return f"TaskSet({len(self)} tasks, {len(self.rows)} examples, {len(self.sources)} input source(s))"

    @property
    def names(self) -> tuple[TaskName, ...]:
        """The tasks' names, in the order of the task axis."""
        return tuple(task.name for task in self.tasks)

    @property
    def n_examples(self) -> np.ndarray:
        """Labelled examples of every task, shape ``(T,)``."""
        return np.diff(self.offsets)

    @cached_property
    def task_of(self) -> np.ndarray:
        """The task of every entry, shape ``(entries,)``."""
        return np.repeat(np.arange(len(self)), self.n_examples)

    @cached_property
    def _numbers(self) -> dict[TaskName, int]:
        return {task.name: number for number, task in enumerate(self.tasks)}

    def index(self, name: TaskName) -> int:
        """The place of a task on the task axis.

        Raises:
            KeyError: there is no such task.
        """
        if name not in self._numbers:
            known = ", ".join(task.label for task in self.tasks[:10])
            raise KeyError(f"no task {name!r}; the tasks are {known}{', …' if len(self) > 10 else ''}")
        return self._numbers[name]

    def input_shape(self, task: int) -> tuple[int, ...]:
        """Shape of one input of this task."""
        return tuple(self.sources[self.source_of[task]].shape[1:])

    def entries(self, task: int) -> slice:
        """Where this task's entries stand."""
        return slice(int(self.offsets[task]), int(self.offsets[task + 1]))

    def examples(self, task: int) -> tuple[Tensor, Tensor]:
        """All inputs ``(N_t, *shape)`` and targets ``(N_t,)`` of one task."""
        entries = self.entries(task)
        return take(self.sources[self.source_of[task]], self.rows[entries]), torch.from_numpy(self.targets[entries])

    def select(self, entries: np.ndarray) -> TaskSet:
        """The same tasks with only these entries (sorted numbers, or a mask), inputs not copied."""
        entries = np.flatnonzero(entries) if entries.dtype == bool else np.sort(entries)
        counts = np.bincount(self.task_of[entries], minlength=len(self))
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            rows=self.rows[entries],
            targets=self.targets[entries],
        )

    def keep_tasks(self, numbers: Sequence[int]) -> TaskSet:
        """Only these tasks, in this order."""
        entries = [self.entries(number) for number in numbers]
        return replace(
            self,
            tasks=tuple(self.tasks[number] for number in numbers),
            source_of=self.source_of[list(numbers)],
            offsets=np.concatenate([[0], np.cumsum([part.stop - part.start for part in entries])]),
            rows=np.concatenate([self.rows[part] for part in entries]),
            targets=np.concatenate([self.targets[part] for part in entries]),
            target_scaling=None if self.target_scaling is None else self.target_scaling[list(numbers)],
        )

    def map_sources(self, transform: Callable[[int, Source], Source]) -> TaskSet:
        """The same set with each source replaced by ``transform(number, source)``."""
        return replace(self, sources=tuple(transform(number, source) for number, source in enumerate(self.sources)))

    def merge_sources(self) -> TaskSet:
        """The same set with in-memory sources of one form stacked, so that their tasks run as one group."""
        forms: dict[Any, list[int]] = {}
        for number, source in enumerate(self.sources):
            mergeable = isinstance(source, Tensor)
            forms.setdefault((tuple(source.shape[1:]), source.dtype) if mergeable else number, []).append(number)
        if len(forms) == len(self.sources):
            return self
        place = {old: (new, position) for new, members in enumerate(forms.values()) for position, old in enumerate(members)}
        starts = {old: sum(len(self.sources[other]) for other in members[: members.index(old)]) for members in forms.values() for old in members}
        shift = np.array([starts[int(source)] for source in self.source_of])
        return replace(
            self,
            sources=tuple(torch.cat([self.sources[old] for old in members]) if len(members) > 1 else self.sources[members[0]] for members in forms.values()),
            source_of=np.array([place[int(source)][0] for source in self.source_of]),
            rows=self.rows + shift[self.task_of],
        )

    def fingerprint(self) -> str:
        """A digest of the data: equal for equal tasks, inputs and targets, whatever machine made it."""
        digest = hashlib.blake2b(digest_size=16)
        for task in self.tasks:
            digest.update(repr((task.name, task.kind, task.n_outputs, task.classes)).encode())
        for column in (self.source_of, self.offsets, self.rows, self.targets):
            digest.update(np.ascontiguousarray(column).tobytes())
        for source in self.sources:
            digest.update(_bytes_of(source))
        return digest.hexdigest()


def as_source(inputs: Any) -> Source:
    """Inputs as something that rows can be taken from: arrays and nested lists become tensors, the rest stays."""
    if isinstance(inputs, Tensor) or not isinstance(inputs, np.ndarray | list | tuple):
        return inputs
    if isinstance(inputs, np.memmap):
        return inputs
    array = np.asarray(inputs)
    return torch.from_numpy(array.astype(np.float32) if array.dtype == np.float64 else array)


def take(source: Source, rows: np.ndarray) -> Tensor:
    """These rows of a source as one tensor ``(len(rows), *shape)``."""
    if isinstance(source, Tensor):
        return source[torch.from_numpy(np.ascontiguousarray(rows))]
    return torch.as_tensor(np.asarray(source[rows]))


def _kind_of(kinds: Mapping[TaskName, Kind] | Kind | None, name: TaskName) -> Kind | None:
    return kinds.get(name) if isinstance(kinds, Mapping) else kinds


def _bytes_of(source: Source) -> bytes:
    if isinstance(source, Tensor):
        return source.detach().cpu().contiguous().numpy().tobytes()
    if hasattr(source, "to_csv"):
        return str(source.to_csv(index=False)).encode()
    return np.ascontiguousarray(source).tobytes()
