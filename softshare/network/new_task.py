"""A task that comes later learns only what is its own, on what the others share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, nn

from softshare.network.execution.task_module import TaskModule
from softshare.network.forms import Form, paper_values
from softshare.sharing.base import SharedWeight
from softshare.sharing.independent import UnequalWeights
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


def form_of_new_task(
    tasks: Sequence[Task], forms: Sequence[Form], new: TaskSet | Task
) -> tuple[Task, Form]:
    """The task to add and its form.

    Args:
        tasks: the tasks that there are.
        forms: their forms.
        new: the new task, or a set of it alone.

    Raises:
        ValueError: the set holds several tasks, the name is taken, or the shape of the task's
            inputs is not known.
    """
    if isinstance(new, TaskSet) and len(new) != 1:
        raise ValueError(
            f"add_task adds one task at a time, the set has {len(new)}; pick one by "
            "keep_tasks([number])"
        )
    task = new.tasks[0] if isinstance(new, TaskSet) else new
    names = {other.name for other in tasks}
    if task.name in names:
        raise ValueError(
            f"there is a task {task.label!r} already; a new task needs a name of its own"
        )
    shapes = sorted({shape for shape, _ in forms})
    if isinstance(new, TaskSet) and shapes != [()]:
        shape = new.input_shape(0)
        return task, (shape, task.n_outputs)
    if len(shapes) > 1:
        raise ValueError(
            f"task {task.label!r}: the tasks' inputs have different shapes {shapes}; pass "
            "a TaskSet, which tells the new task's"
        )
    shape = shapes[0]
    return task, (shape, task.n_outputs)


def extended_weights(
    weights: Mapping[str, SharedWeight], template: nn.Module
) -> dict[str, SharedWeight]:
    """All weights with one more task, of which only that task's own can be trained.

    Args:
        weights: the weights by their full names.
        template: the new task's network; weights that are wholly its own start from it.

    Raises:
        ValueError: a layer's sharing takes no new task; names the layer.
    """
    extended = {}
    for path, start in paper_values(template).items():
        try:
            extended[path] = _with_task(weights[path], start)
        except ValueError as error:
            layer = path.removesuffix(".weight")
            raise ValueError(f"add_task: layer {layer!r}: {error}") from None
    return extended


def _with_task(weight: SharedWeight, start: Tensor) -> SharedWeight:
    """One weight with one more task, whose own values start from these."""
    first = weight.of(0).detach()
    start = start.to(first)
    if start.shape == first.shape or not weight.shares_nothing:
        return weight.with_task(start)
    # A stack (T, *weight) has no place for another shape: from now on each weight lies apart.
    values = []
    for task in range(weight.n_tasks):
        value = weight.of(task).detach()
        values.append(value)
    apart = UnequalWeights(values)
    return apart.with_task(start)


def keep_buffers(old: nn.ModuleList, new: nn.ModuleList) -> None:
    """Put the tasks' running statistics into bodies that were made from the templates anew, perhaps
    for one task more.
    """
    kept = dict(old.named_modules())
    for name, module in new.named_modules():
        if not isinstance(module, TaskModule) or name not in kept:
            continue
        # Device and type are those of any buffer with a type that `to` may change.
        for buffer in kept[name].buffers():
            if buffer.is_floating_point():
                module.to(buffer.device, buffer.dtype)
                break
        pairs = zip(
            module.buffers(),
            kept[name].buffers(),
            strict=True,
        )
        for buffer, before in pairs:
            n_before = len(before)  # a task that is new keeps the template's
            buffer[:n_before] = before


def extended_scaling(scaling: np.ndarray | None, new: TaskSet | Task) -> np.ndarray | None:
    """The target scaling ``(T + 1, 2)`` with the new task's: its own, or mean 0 and deviation 1
    where it has none.
    """
    if scaling is None:
        return None
    own = new.target_scaling if isinstance(new, TaskSet) else None
    if own is None:
        own = np.array([[0.0, 1.0]])  # (1, 2)
    return np.concatenate([scaling, own])
