"""Made images in place of CIFAR-10's photographs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softshare.data.cifar10 import TASKS
from softshare.data.made_images import made_images
from softshare.tasks.task_set import TaskSet

SIZE = 8
"""Pixels a side, a quarter of the photographs'."""


def made(n_train: int = 6, n_test: int = 4) -> TaskSet:
    """Three tasks in the form that :func:`softshare.data.cifar10.load` has, at fewer pixels.

    Args:
        n_train: images to train on of each class.
        n_test: images of the test set of each class.
    """
    data = {}
    parts = []
    for number, (name, classes) in enumerate(TASKS.items()):
        labels = np.tile(np.arange(len(classes)), n_train + n_test)
        images = made_images(labels, size=SIZE, channels=3, seed=number)
        data[name] = (images, np.array(classes)[labels])
        sizes = [n_train * len(classes), n_test * len(classes)]
        parts.append(np.repeat(np.array(["train", "test"], dtype=object), sizes))
    return replace(TaskSet.from_arrays(data), parts=(np.concatenate(parts),))
