"""What the columns of a table are for, where a task set was read from one."""

from __future__ import annotations

from dataclasses import dataclass

from softshare.tasks.asking import NOTHING_SAID, Asking


@dataclass(frozen=True)
class TableUse:
    """What the columns of a table are for, its inputs aside.

    Args:
        task: the columns that name each row's task; none where every target is a task.
        target: the columns to predict.
        asking: what was said of how to read the table.
        weight: the column that says how much each row counts, or none.
    """

    task: tuple[str, ...]
    target: tuple[str, ...]
    asking: Asking = NOTHING_SAID
    weight: tuple[str, ...] = ()
