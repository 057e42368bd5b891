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
    scaling = None if target_scaling is None else target_scaling.tolist()
    text = json.dumps({"tasks": [task.name for task in tasks], "target_scaling": scaling})
    return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)


def unpacked(state: Tensor) -> tuple[tuple[TaskName, ...], np.ndarray | None]:
    """The names and the scaling from what :func:`packed` made."""
    values = json.loads(bytes(state.cpu().tolist()))
    # JSON has no tuples: the name of a task on a grid comes back as a list.
    names = tuple(tuple(name) if isinstance(name, list) else name for name in values["tasks"])
    scaling = values["target_scaling"]
    return names, None if scaling is None else np.array(scaling)


def check_names(names: Sequence[TaskName], tasks: Sequence[Task]) -> None:
    """Make sure that a state's rows are these tasks' rows.

    Raises:
        ValueError: the state is of other tasks, or has them in another order.
    """
    own = [task.name for task in tasks]
    if list(names) == own:
        return
    longest = max(len(names), len(own))
    place = next(at for at in range(longest) if names[at : at + 1] != tuple(own[at : at + 1]))
    ours = f"task {label_of(own[place])!r}" if place < len(own) else "no task"
    theirs = repr(label_of(names[place])) if place < len(names) else "'no task'"
    raise ValueError(
        f"load_state_dict: rows belong to tasks by name, and this network has {ours} at place "
        f"{place} where the state has {theirs}; make the network of the state's tasks, in the "
        "same order"
    )
