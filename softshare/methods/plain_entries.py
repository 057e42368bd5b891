"""A prepared task set as plain arrays: what methods without a network learn from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from softshare.tasks.sources import take
from softshare.tasks.splits import units_of
from softshare.tasks.task_set import TaskSet

MOST_NUMBERS = 1 << 28
"""Inputs that are copied into one array, 1 GiB of them, at the most."""


@dataclass(frozen=True, eq=False)
class PlainEntries:
    """All entries of a task set, in its order.

    Args:
        inputs: ``(N, D)``.
        targets: ``(N,)``.
        tasks: the task's number of every entry, ``(N,)``.
        groups: the group of every entry, ``(N,)``, or None where none are given.
        weights: how much every entry counts, of mean 1, ``(N,)``, or None: all the same.
    """

    inputs: np.ndarray
    targets: np.ndarray
    tasks: np.ndarray
    groups: np.ndarray | None
    weights: np.ndarray | None = None

    def as_vectors(self) -> PlainEntries:
        """The same with images as rows of numbers."""
        return replace(self, inputs=self.inputs.reshape(len(self.inputs), -1))


MOST_PIXELS = 256
"""Numbers of an image that is as well a vector, as 16 by 16 grey pixels."""


def not_alike(tasks: TaskSet, *, small_images: bool = False) -> str | None:
    """Why these tasks' rows cannot be rows of one array, or None where they can.

    One model for rows of several tasks needs inputs of one width and targets of one kind.

    Args:
        tasks: whose rows.
        small_images: whether images of a few pixels will do for vectors.
    """
    shapes = {tasks.input_shape(number) for number in range(len(tasks))}
    if len(shapes) > 1:
        return "the tasks' inputs differ in shape"
    if len({(task.kind, task.n_outputs) for task in tasks.tasks}) > 1:
        return "the tasks' targets differ in kind"
    (shape,) = shapes
    if why := not_vectors(shape, small_images=small_images):
        return why
    if len(tasks.rows) * math.prod(shape) > MOST_NUMBERS:
        return "the inputs are too many to be held in one array"
    return None


def not_vectors(shape: tuple[int, ...], *, small_images: bool = False) -> str | None:
    """Why inputs of this shape cannot be rows of numbers, or None where they can."""
    if len(shape) == 1 or (small_images and math.prod(shape) <= MOST_PIXELS):
        return None
    return "inputs are no vectors"


def not_apart(tasks: TaskSet) -> str | None:
    """Why models of each task's rows alone cannot serve these tasks, or None where they can."""
    shapes = [tasks.input_shape(number) for number in range(len(tasks))]
    reasons = [not_vectors(shape, small_images=True) for shape in shapes]
    return next(filter(None, reasons), None)


def not_one_model(tasks: TaskSet, *, small_images: bool = False) -> str | None:
    """Why one model of all rows cannot serve these tasks, or None where it can.

    Beside rows that are alike it needs rows of each task's own: where all tasks see the same rows,
    what they ask differs, and a common answer means nothing.
    """
    if tasks.one_input:
        return "all tasks see the same rows, which one model cannot tell apart"
    return not_alike(tasks, small_images=small_images)


def plain_entries(tasks: TaskSet) -> PlainEntries:
    """The entries of a prepared task set whose rows are alike (:func:`not_alike`)."""
    source_of_entry = tasks.source_of[tasks.task_of]
    inputs = np.empty((len(tasks.rows), *tasks.input_shape(0)), dtype=np.float32)
    for number, source in enumerate(tasks.sources):
        entries = np.flatnonzero(source_of_entry == number)
        if len(entries):
            inputs[entries] = take(source, tasks.rows[entries]).numpy()
    return PlainEntries(
        inputs,
        tasks.targets,
        tasks.task_of,
        groups_of(tasks),
        mean_one_weights(tasks),
    )


def groups_of(tasks: TaskSet) -> np.ndarray | None:
    """The group of every entry, ``(N,)``, or None: rows are single.

    Rows that serve several tasks must not be divided either.
    """
    divisible = not tasks.one_input and not any(group is not None for group in tasks.groups)
    return None if divisible else units_of(tasks)


def mean_one_weights(tasks: TaskSet) -> np.ndarray | None:
    """How much every entry counts, ``(N,)``, or None where all count the same.

    Of mean 1: penalties stand beside as many rows as there are, whatever weights were written in.
    """
    if tasks.weights is None or not len(tasks.weights):
        return None
    scaled: np.ndarray = tasks.weights / tasks.weights.mean()
    return scaled


def on_inputs(tasks: TaskSet, inputs: np.ndarray) -> TaskSet:
    """The same entries on other inputs, a row of them for each.

    Args:
        tasks: whose entries.
        inputs: ``(N, *shape)``, in their order.
    """
    return replace(
        tasks,
        sources=(torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32)),),
        source_of=np.zeros(len(tasks), dtype=np.int64),
        rows=np.arange(len(tasks.rows)),
        one_input=False,
        groups=(),
        parts=(),
        preprocessing=(),
        row_numbers=(),
    )
