"""What the columns of a table are for, where a task set was read from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.target_values import WrittenTarget


@dataclass(frozen=True)
class TableUse:
    """What the columns of a table are for, its inputs aside.

    Args:
        task: the columns that name each row's task; none where every target is a task.
        target: the columns to predict.
        asking: what was said of how to read the table.
        weight: the column that says how much each row counts, or none.
        written: target of numbers → how these were written.
    """

    task: tuple[str, ...]
    target: tuple[str, ...]
    asking: Asking = NOTHING_SAID
    weight: tuple[str, ...] = ()
    written: Mapping[str, WrittenTarget] = field(default_factory=dict)
