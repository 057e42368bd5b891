"""What a saved state says beside its numbers: whose rows they are, and in which units they predict.

It is kept as JSON in a tensor of bytes, which every loop over a state can copy, compare and save.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.task import Task, TaskName, label_of


def packed(tasks: Sequence[Task], target_scaling: np.ndarray | None) -> Tensor:
    """The tasks' names and the scaling of their targets, as bytes.

    Args:
        tasks: the tasks in the order of the task axis.
        target_scaling: ``(T, 2)`` means and deviations, or None.

    Shape:
        ``(bytes,)``.
    """
    scaling = None
    if target_scaling is not None:
        scaling = target_scaling.tolist()
    names = [task.name for task in tasks]
    content = {
        "tasks": names,
        "target_scaling": scaling,
    }
    text = json.dumps(content)
    # A bytearray, as torch warns of memory that it may not write.
    encoded = bytearray(text.encode())
    return torch.frombuffer(encoded, dtype=torch.uint8)


def unpacked(state: Tensor) -> tuple[tuple[TaskName, ...], np.ndarray | None]:
    """The names and the scaling from what :func:`packed` made."""
    encoded = state.cpu().tolist()
    content = json.loads(bytes(encoded))
    names: list[TaskName] = []
    for name in content["tasks"]:
        # JSON has no tuples: the name of a task on a grid comes back as a list.
        is_on_grid = isinstance(name, list)
        names.append(tuple(name) if is_on_grid else name)
    scaling = content["target_scaling"]
    if scaling is None:
        return tuple(names), None
    return tuple(names), np.array(scaling)


def check_names(names: Sequence[TaskName], tasks: Sequence[Task]) -> None:
    """Make sure that a state's rows are these tasks' rows.

    Raises:
        ValueError: the state is of other tasks, or has them in another order.
    """
    own = [task.name for task in tasks]
    if list(names) == own:
        return
    longest = max(len(names), len(own))
    place = 0
    while place < longest and _named(own, place) == _named(names, place):
        place += 1
    ours = _named(own, place)
    if place < len(own):
        ours = f"task {ours!r}"
    theirs = repr(_named(names, place))
    raise ValueError(
        f"load_state_dict: rows belong to tasks by name, and this network has {ours} at place "
        f"{place} where the state has {theirs}; make the network of the state's tasks, in the "
        "same order"
    )


def _named(names: Sequence[TaskName], place: int) -> str:
    """The label of the task at a place, which one of two lists may not have."""
    if place >= len(names):
        return "no task"
    return label_of(names[place])
