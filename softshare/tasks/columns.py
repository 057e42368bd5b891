"""From what a person has — columns of targets, a column of task names — to the columns of a task
set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd

from softshare.tasks.levels import text_of
from softshare.tasks.targets import OneClassError, encode_target, nothing_to_learn
from softshare.tasks.task import Kind, Task, TaskName, label_of

Kinds = Mapping[Any, Kind] | Kind | None
"""The kind of every task by its name (text, or a tuple of texts), of all tasks at once, or None:
inferred.
"""


NAMED = 200
"""Tasks that an error names."""

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Where each task's entries begin, their rows, and their targets."""


def encode_all(
    targets: Mapping[Any, Any],
    kinds: Kinds,
) -> list[tuple[Task, np.ndarray]]:
    """Every target column as its task and its values as numbers.

    Raises:
        ValueError: there is no column, ``kinds`` names another task, or a column is no target;
            names all that have one class only.
    """
    encoded, idle = _encoded(targets, kinds)
    if idle:
        raise _nothing_to_learn(list(idle), len(targets))
    return list(encoded.values())


def encode_panel(
    targets: Mapping[Any, Any],
    kinds: Kinds,
) -> list[tuple[Task, np.ndarray]]:
    """Several columns of one table as their tasks, also those with nothing to learn: empty ones,
    and those of one class.

    These are tasks too small to be split, which names them all at once, and can be left out with
    the others that are (:func:`softshare.tasks.splits.drop_small_tasks`).

    Raises:
        ValueError: as :func:`encode_all`, where all columns have nothing to learn.
    """
    encoded, idle = _encoded(targets, kinds)
    if not encoded:
        raise _nothing_to_learn(list(idle), len(targets))
    return [encoded[name] if name in encoded else idle[name] for name in targets]


_Columns = dict[Any, tuple[Task, np.ndarray]]


def _encoded(targets: Mapping[Any, Any], kinds: Kinds) -> tuple[_Columns, _Columns]:
    """Every target column as its task and its values, those with nothing to learn apart."""
    if not targets:
        raise ValueError("a task set needs at least one task, got an empty mapping")
    by_name = kinds if isinstance(kinds, Mapping) else dict.fromkeys(targets, kinds)
    unknown = [repr(label_of(name)) for name in by_name if name not in targets]
    if unknown:
        known = ", ".join(map(label_of, targets))
        raise ValueError(
            f"kinds names {', '.join(unknown)}, which is no task; the tasks are {known}"
        )
    encoded: _Columns = {}
    idle: _Columns = {}
    for name, target in targets.items():
        try:
            encoded[name] = encode_target(name, target, by_name.get(name))
        except ValueError:
            nothing = nothing_to_learn(target)
            if nothing is None:
                raise
            classes, values = nothing
            idle[name] = Task(name, "binary", 1, classes), values
    return encoded, idle


def _nothing_to_learn(names: Sequence[TaskName], n_tasks: int) -> OneClassError:
    told = ", ".join(repr(label_of(name)) for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return OneClassError(
        f"{len(names)} of {n_tasks} task(s) have one class only, or no labels, so there is nothing "
        f"to learn: {told}{more}; leave them out. Or name the task of every row in a column "
        "(TaskSet.from_task_column): tasks then have the classes of all rows, and "
        "tasks.drop_small_tasks() leaves such tasks out"
    )


def check_lengths(
    columns: Sequence[tuple[Task, np.ndarray]],
    n_inputs: Sequence[int],
) -> None:
    """Refuse a target column that has not one value an input.

    Raises:
        ValueError: names the task and both lengths.
    """
    for (task, values), length in zip(columns, n_inputs, strict=True):
        if len(values) != length:
            raise ValueError(f"task {task.label!r}: {length} inputs but {len(values)} targets")


def entries_of(columns: Sequence[np.ndarray]) -> Entries:
    """Offsets, rows and values of the labelled examples in columns with gaps (NaN)."""
    rows, values, counts = [], [], []
    for column in columns:
        labelled = np.flatnonzero(~np.isnan(column))
        rows.append(labelled)
        values.append(column[labelled])
        counts.append(len(labelled))
    return offsets_of(counts), np.concatenate(rows), np.concatenate(values)


def entries_by_task(
    values: np.ndarray,
    task: np.ndarray,
    n_tasks: int,
) -> Entries:
    """Offsets, rows and values of the labelled rows of one column, each an example of the task
    numbered beside it.
    """
    labelled = np.flatnonzero(~np.isnan(values))
    of_label = task[labelled]
    rows = labelled[np.argsort(of_label, kind="stable")]
    counts = np.bincount(of_label, minlength=n_tasks)
    return offsets_of(counts), rows, values[rows]


def offsets_of(counts: np.ndarray | Sequence[int]) -> np.ndarray:
    """Where runs of these lengths begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def places_in_runs(values: np.ndarray) -> np.ndarray:
    """0, 1, 2, … within every run of equal numbers (none below 0)."""
    # values  3 3 3 7 7      starts   0 3
    #         0 1 2 0 1      lengths  3 2
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    lengths = np.diff(starts, append=len(values))
    return np.arange(len(values)) - np.repeat(starts, lengths)


def names_of(task: Any) -> tuple[list[TaskName], np.ndarray]:
    """The tasks that a column (of tuples, or a data frame of several) names, sorted, and the number
    of each row's task.

    Raises:
        ValueError: a row has no task.
    """
    if not isinstance(task, pd.DataFrame):
        column = pd.Series(task)
        task = pd.DataFrame(column.tolist()) if _is_of_tuples(column) else column.to_frame()
    n_factors = task.shape[1]
    factors = [task.iloc[:, place] for place in range(n_factors)]
    # factors (aspect, customer) with 3 and 4 levels: a row's pair is 4 · aspect + customer
    levels_of: list[list[str]] = []
    pair_of_row = np.zeros(len(factors[0]), dtype=np.int64)
    for factor in factors:
        codes, levels = _levels_of(factor)
        pair_of_row = pair_of_row * len(levels) + codes
        levels_of.append(levels)
    number_of_row, pairs = pd.factorize(pair_of_row, sort=True)
    sizes = [len(levels) for levels in levels_of]
    codes_of = np.unravel_index(pairs, sizes)
    named = []
    for levels, codes in zip(levels_of, codes_of, strict=True):
        named.append([levels[code] for code in codes])
    if len(factors) == 1:
        return list(named[0]), number_of_row
    return list(zip(*named, strict=True)), number_of_row


def _is_of_tuples(column: pd.Series) -> bool:
    """Whether every row has a tuple, all of one length."""
    if column.dtype != object:
        return False
    lengths = {len(name) if isinstance(name, tuple) else 0 for name in column}
    return len(lengths) == 1 and lengths != {0}


def _levels_of(factor: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The number of each row's level, and the levels as texts, sorted: as numbers where all are."""
    is_text = factor.dtype == object or isinstance(factor.dtype, pd.StringDtype)
    if is_text and pd.api.types.infer_dtype(factor, skipna=True) != "string":
        # mixed types cannot be sorted
        factor = factor.map(text_of, na_action="ignore")
    codes, levels = pd.factorize(factor, sort=True)
    if is_text and all(isinstance(level, str) and level.isdecimal() for level in levels):
        texts = list(map(str, levels))
        keys = [(int(text), text, place) for place, text in enumerate(texts)]
        order = [place for _, _, place in sorted(keys)]
        place_of = np.append(np.argsort(order), -1)  # code -1 is the last
        codes, levels = place_of[codes], levels[order]
    without = codes < 0
    if without.any():
        raise ValueError(
            f"{int(without.sum())} row(s) have no task, the first is row "
            f"{int(without.argmax()) + 1}; fill the task column or remove these rows"
        )
    return codes, [text_of(level) for level in levels]


def column_of(
    source: Sized,
    column: Any,
) -> tuple[np.ndarray, ...]:
    """What a task set of one source holds of a column of its rows (groups, parts): nothing where
    there is none.

    Raises:
        ValueError: the column has not one value a row.
    """
    if column is None:
        return ()
    if len(column) != len(source):
        raise ValueError(
            f"groups and parts need one value a row, got {len(column)} for {len(source)} rows"
        )
    return (np.asarray(column),)
