"""Rows of a table that stand there twice, or nearly: one may train and the other test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.random_keys import numbered
from softshare.tasks.task_set import TaskSet

FRACTION = 0.01
NEARLY = 0.05
"""Repeated rows of a table from which that is told; and rows that repeat but for one column."""

BY_CHANCE = 100.0
"""So many times more different rows than there are must be possible for repeats to be told."""

MOST_ALIKE = 2.0
"""So many times more rows than are repeated may be alike but for the target."""

MOST_CELLS = 2_000_000


def repeat_cautions(tasks: TaskSet) -> Iterator[str]:
    """A line for every table in which rows are repeated and are not kept together."""
    for number, source in enumerate(tasks.sources):
        is_grouped = bool(tasks.groups) and tasks.groups[number] is not None
        if isinstance(source, EncodedColumns) and not is_grouped:
            n_cells = len(source) * len(source.names)
            if n_cells <= MOST_CELLS and len(source) > 20:
                yield from _of_table(source, _labels(tasks, number))


def _of_table(table: EncodedColumns, labels: np.ndarray) -> Iterator[str]:
    mixed, sizes = [], []
    for place, name in enumerate(table.names):
        column = table.column(name)
        n_values = _n_different(column[np.isfinite(column)])
        sizes.append(np.log(max(1, n_values)))
        mixed.append(_mixed(column, place))
    labels = _mixed(labels, len(mixed))
    enough = np.log(BY_CHANCE * len(table))
    whole = np.asarray(np.sum(mixed, axis=0, dtype=np.uint64))
    if sum(sizes) < enough:
        return
    n_alike = _repeated(whole)
    n_repeated = _repeated(whole + labels)
    # where many more rows are alike but for the target, being alike says nothing
    is_telling = n_alike <= MOST_ALIKE * n_repeated
    if is_telling and n_repeated >= max(2, FRACTION * len(table)):
        yield (
            f"{n_repeated:,} row(s) are like another in the target and every input; copies may "
            "train and test: if they are such, remove them, or keep them together (group)"
        )
        return
    if n_alike > FRACTION * len(table):
        return
    for name, own, size in zip(table.names, mixed, sizes, strict=True):
        if sum(sizes) - size < enough:
            continue
        n_nearly = _repeated(whole - own)
        if n_nearly >= NEARLY * len(table):
            yield (
                f"{n_nearly:,} row(s) are like another in every input but column {name!r}: of the "
                "same persons or things? a column that names these keeps them together (group)"
            )
            return


def _labels(tasks: TaskSet, source: int) -> np.ndarray:
    """A number for every row of a source, the same where its tasks and their targets are."""
    labels = np.zeros(len(tasks.sources[source]))
    of_source = tasks.source_of[tasks.task_of] == source
    values = (1.0 + tasks.task_of) * np.pi + tasks.targets
    np.add.at(labels, tasks.rows[of_source], values[of_source])
    return labels


def _mixed(column: np.ndarray, place: int) -> np.ndarray:
    """A number of 64 bits for every value, so that sums tell rows apart."""
    # Both zeros are one number, and every NaN; a number that no column holds stands for it.
    values = np.where(np.isnan(column), 1e300, column + 0.0)
    return numbered(values.view(np.uint64), np.array([place + 1]))


def _repeated(rows: np.ndarray) -> int:
    return len(rows) - _n_different(rows)


def _n_different(values: np.ndarray) -> int:
    """How many values there are; sorting large columns is several times faster than hashing."""
    if not len(values):
        return 0
    ordered = np.sort(values)
    is_new = ordered[1:] != ordered[:-1]
    return 1 + int(is_new.sum())
