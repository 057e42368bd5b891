"""Small made tasks in the form of a public set: they stand in where its files are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from softshare.data.made_images import made_images
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

Form = tuple[Sequence[int], int]
"""The shape of an input, and the number of classes."""


def made_tasks(
    forms: Mapping[str, Form],
    *,
    each: int = 20,
    n_test: int = 0,
    of_all: bool = False,
    seed: int = 0,
) -> TaskSet:
    """Tasks to tell classes apart, in which a class is one pattern under noise, and the same
    pattern in all tasks of one shape.

    Args:
        forms: name of a task → what its inputs and classes are.
        each: examples of every class.
        n_test: so many of them, the last, are a given test part; 0: no part is given.
        of_all: whether a training fraction is of all examples, see
            :class:`~softshare.tasks.task_set.TaskSet`.
        seed: of patterns and noise.
    """
    examples, parts = {}, []
    for number, (name, (shape, n_classes)) in enumerate(forms.items()):
        labels = np.tile(np.arange(n_classes), each)
        if len(shape) == 3:
            channels, size, _ = shape
            inputs = made_images(labels, size=size, channels=channels, seed=seed)
        else:
            inputs = _made_vectors(labels, shape[0], seed=seed, noise_seed=number)
        examples[name] = (inputs, labels)
        is_test = np.arange(len(labels)) >= n_classes * (each - n_test)
        parts.append(np.where(is_test, "test", "train").astype(object))
    kinds: dict[str, Kind] = {}
    for name, (_, n_classes) in forms.items():
        kinds[name] = "binary" if n_classes == 2 else "multiclass"
    tasks = TaskSet.from_arrays(examples, kinds=kinds)
    if n_test:
        tasks = replace(tasks, parts=_of_sources(parts, tasks))
    return replace(tasks, train_fraction_of_all=of_all)


def _of_sources(of_tasks: Sequence[np.ndarray], tasks: TaskSet) -> tuple[np.ndarray, ...]:
    """The tasks' columns as columns of the sources, in which tasks of one shape lie together."""
    columns = []
    for source in range(len(tasks.sources)):
        numbers = np.flatnonzero(tasks.source_of == source).tolist()
        columns.append(np.concatenate([of_tasks[number] for number in numbers]))
    return tuple(columns)


def _made_vectors(
    labels: np.ndarray,
    width: int,
    *,
    seed: int,
    noise_seed: int,
) -> np.ndarray:
    """A vector of numbers for every class, under noise of the same size: ``(N, width)``."""
    patterns = np.random.default_rng(seed).normal(size=(int(labels.max()) + 1, width))
    noise = np.random.default_rng([seed, noise_seed]).normal(size=(len(labels), width))
    return (patterns[labels] + noise).astype(np.float32)
