"""A task set by the name of its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from softshare.data import built_in
from softshare.data.names import near
from softshare.data.table import read_table
from softshare.data.table_file import SUFFIXES
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

SOURCES: Mapping[str, Callable[[], TaskSet]] = {
    "digits": built_in.digits,
    "classics": built_in.classics,
    "iris": built_in.iris,
    "wine": built_in.wine,
    "breast_cancer": built_in.breast_cancer,
}
"""The data sets that have a name; the first line of each one's docstring says what it is."""


def load(
    source: str | Path,
    *,
    task: str | Sequence[str] | None = None,
    target: str | Sequence[str] = (),
    kinds: Mapping[str, Kind] | Kind | None = None,
    drop: Sequence[str] = (),
    split: str | None = None,
    group: str | None = None,
) -> TaskSet:
    """The tasks of a built-in data set, or of a table.

    Args:
        source: the name of a built-in data set, or a file.
        task: see :func:`softshare.data.table.read_table`, as for all that follow; they go with a file.
        target: the column or columns to predict.
        kinds: the kind of the targets.
        drop: columns to leave out.
        split: the column with the given part of each row.
        group: the column whose equal values stay in one part.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the name is unknown, an option does not go with it, or the table does not fit.
    """
    options = {"task": task, "target": target, "kinds": kinds, "drop": drop, "split": split, "group": group}
    given = [f"--{name.removesuffix('s')}" for name, value in options.items() if value]
    if source in SOURCES:
        if given:
            raise ValueError(f"{source!r} is a built-in data set, with tasks of its own; {', '.join(given)} go with a table")
        return SOURCES[str(source)]()
    if not Path(source).exists() and not str(source).lower().endswith(SUFFIXES):
        raise ValueError(
            f"no built-in data set and no file is called {str(source)!r}; {near(str(source), SOURCES)} (built in: {', '.join(SOURCES)})"
        )
    if not target:
        raise ValueError(
            f"{source} is a table: say what to predict with --target COLUMN …, and with --task COLUMN which column names the task"
        )
    return read_table(source, target=target, task=task, kinds=kinds, drop=drop, split=split, group=group)
