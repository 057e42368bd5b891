"""A task set in a notebook."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from softshare.tasks.task_set import TaskSet
from softshare.tasks.task_table import TASKS_SHOWN


def cells_of(tasks: TaskSet) -> list[list[str]]:
    table = ElementTree.fromstring(tasks._repr_html_().replace("colspan=5", 'colspan="5"'))
    return [[cell.text or "" for cell in row] for row in table.iter("tr")]


def test_a_row_a_task_with_its_kind_and_size() -> None:
    tasks = TaskSet.from_arrays(
        {
            "a & <b>": (np.zeros((4, 3)), [0, 1, 0, None]),
            "c": (np.zeros((5, 1, 2, 2)), np.arange(5) / 7),
        }
    )
    assert repr(tasks) == "TaskSet(2 tasks, 8 examples, 2 input source(s))"
    assert cells_of(tasks) == [
        ["task", "kind", "classes", "inputs", "examples"],
        ["a & <b>", "binary", "2", "3", "3"],
        ["c", "regression", "", "1 × 2 × 2", "5"],
    ]


def test_many_tasks_are_one_line_more() -> None:
    tasks = TaskSet.from_arrays({f"t{k}": (np.zeros((2, 1)), [0, 1]) for k in range(2000)})
    found = cells_of(tasks)
    assert len(found) == 1 + TASKS_SHOWN + 1
    assert found[-1] == ["and 1,990 more"]
    assert len(tasks._repr_html_()) < 2000
