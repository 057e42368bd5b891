"""What a saved state says beside its numbers: whose rows they are, in which units they predict, and
what turned raw inputs into numbers.

It is kept as JSON in a tensor of bytes, which every loop over a state can copy, compare and save.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.features import from_json
from softshare.tasks.task import Task, TaskName, label_of
from softshare.tasks.vectors import Preprocessing


@dataclass(frozen=True)
class Beside:
    """What stands in a state beside its numbers.

    Args:
        names: of the tasks, in the order of the task axis.
        target_scaling: ``(T, 2)`` means and deviations, or None.
        preprocessing: for every source of inputs what turned them into numbers, or None.
    """

    names: tuple[TaskName, ...]
    target_scaling: np.ndarray | None = None
    preprocessing: tuple[Preprocessing | None, ...] = ()


def packed(
    tasks: Sequence[Task],
    target_scaling: np.ndarray | None,
    preprocessing: Sequence[Preprocessing | None] = (),
) -> Tensor:
    """The tasks' names, the scaling of their targets and the preprocessing of their inputs, as
    bytes.

    Args:
        tasks: the tasks in the order of the task axis.
        target_scaling: ``(T, 2)`` means and deviations, or None.
        preprocessing: of every source of inputs.

    Shape:
        ``(bytes,)``.
    """
    scaling = None
    if target_scaling is not None:
        scaling = target_scaling.tolist()
    content = {
        "tasks": [task.name for task in tasks],
        "target_scaling": scaling,
        "preprocessing": [None if fitted is None else fitted.to_json() for fitted in preprocessing],
    }
    text = json.dumps(content)
    # A bytearray, as torch warns of memory that it may not write.
    encoded = bytearray(text.encode())
    return torch.frombuffer(encoded, dtype=torch.uint8)


def unpacked(state: Tensor) -> Beside:
    """What :func:`packed` packed."""
    encoded = state.cpu().numpy().tobytes()
    content = json.loads(encoded)
    names: list[TaskName] = []
    for name in content["tasks"]:
        # JSON has no tuples: the name of a task on a grid comes back as a list.
        is_on_grid = isinstance(name, list)
        names.append(tuple(name) if is_on_grid else name)
    scaling = content["target_scaling"]
    texts = content.get("preprocessing", ())  # states of before have none
    fitted = tuple(None if text is None else from_json(text) for text in texts)
    return Beside(tuple(names), None if scaling is None else np.array(scaling), fitted)


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
