"""Classes and tasks that all weigh the same in training, however few rows they have."""

from __future__ import annotations

import numpy as np

from softshare.tasks.task_set import TaskSet
from softshare.tasks.weights import ClassWeight, TaskWeight


def weighed_for_training(
    tasks: TaskSet,
    *,
    class_weight: ClassWeight | None = None,
    task_weight: TaskWeight | None = None,
) -> TaskSet:
    """A part of the data with the weights that training goes by; metrics go by those it has.

    Args:
        tasks: training or validation examples.
        class_weight: see :func:`class_weighted`.
        task_weight: see :func:`task_weighted`.
    """
    return task_weighted(class_weighted(tasks, class_weight), task_weight)


def class_weighted(tasks: TaskSet, class_weight: ClassWeight | None) -> TaskSet:
    """A part of the data with the weights that training goes by.

    Each class of a task gets the same share of the task's weight: a row of class c counts
    ``W / (C W_c)`` times what it does, W the weight of the task's rows, W_c that of the class and C
    the number of classes that the task has there.

    Args:
        tasks: training or validation examples.
        class_weight: ``"balanced"``, or None: the weights stay as they are.
    """
    if class_weight is None:
        return tasks
    weights = _weights_of(tasks)
    n_classes = np.array([_n_classes(task.kind, task.n_outputs) for task in tasks.tasks])
    first_class = np.cumsum(n_classes) - n_classes
    has_classes = n_classes[tasks.task_of] > 1
    # every class of every task has a number; numbers of a regression task's entries are all one
    own_class = np.where(has_classes, tasks.targets, 0).astype(np.int64)
    numbers = first_class[tasks.task_of] + own_class
    of_class = np.bincount(numbers, weights, minlength=int(n_classes.sum()))
    of_task = np.bincount(tasks.task_of, weights, minlength=len(tasks))
    task_of_class = np.repeat(np.arange(len(tasks)), n_classes)
    n_present = np.bincount(task_of_class, of_class > 0, minlength=len(tasks))
    share = of_task / np.maximum(n_present, 1)  # (T,): what each class of a task weighs
    return tasks.with_weights(weights * share[tasks.task_of] / of_class[numbers])


def task_weighted(tasks: TaskSet, task_weight: TaskWeight | None) -> TaskSet:
    """The same examples, with weights by which every task weighs the same.

    Networks add up the tasks' mean losses, to which that makes no difference; one model of all
    rows would otherwise go by the tasks that have most of them.

    Args:
        tasks: training or validation examples.
        task_weight: ``"equal"``; with ``"examples"`` and None the weights stay as they are.
    """
    if task_weight != "equal":
        return tasks
    weights = _weights_of(tasks)
    of_task = np.bincount(tasks.task_of, weights, minlength=len(tasks))
    share = weights.sum() / max(int((of_task > 0).sum()), 1)
    return tasks.with_weights(weights * share / of_task[tasks.task_of])


def _n_classes(kind: str, n_outputs: int) -> int:
    """1 where there are none."""
    return {"regression": 1, "binary": 2}.get(kind, n_outputs)


def _weights_of(tasks: TaskSet) -> np.ndarray:
    if tasks.weights is not None:
        return tasks.weights
    return np.ones(len(tasks.rows))
