"""Made images in place of CIFAR-10's photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from softshare.data.cifar10 import TASKS, form_of, transformed
from softshare.data.made_images import made_images
from softshare.tasks.task_set import TaskSet

SIZE = 8
"""Pixels a side, a quarter of the photographs', where nobody asks for views of them."""

WHOLE = 32
"""Pixels a side of the photographs."""


def made(n_train: int = 6, n_test: int = 4, *, views: Sequence[str] | None = None) -> TaskSet:
    """Three tasks in the form that :func:`softshare.data.cifar10.load` has, at fewer pixels unless
    views of whole images are asked for.

    Args:
        n_train: images to train on of each class.
        n_test: images of the test set of each class.
        views: how each of the three sees its images, as :func:`softshare.data.cifar10.load` takes
            it.
    """
    data = {}
    parts = []
    for number, (name, classes) in enumerate(TASKS.items()):
        labels = np.tile(np.arange(len(classes)), n_train + n_test)
        size = SIZE if views is None else WHOLE
        images = made_images(labels, size=size, channels=3, seed=number)
        if views is not None:
            images = transformed(images, form_of(views[number]))
        data[name] = (images, np.array(classes)[labels])
        sizes = [n_train * len(classes), n_test * len(classes)]
        parts.append(np.repeat(np.array(["train", "test"], dtype=object), sizes))
    tasks = TaskSet.from_arrays(data)
    return replace(tasks, parts=_by_source(tasks, parts))


def _by_source(tasks: TaskSet, parts: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """The tasks' parts, where tasks of one form have one source."""
    joined = []
    for source in range(len(tasks.sources)):
        members = np.flatnonzero(tasks.source_of == source).tolist()
        joined.append(np.concatenate([parts[task] for task in members]))
    return tuple(joined)
