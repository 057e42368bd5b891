"""Splits as files: the rows of the source that each part holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from softshare.evaluation.records.schema import FORMAT, SplitFile, check
from softshare.evaluation.records.sealed import seal, unseal
from softshare.files import write_text
from softshare.tasks.splits import PARTS, Split
from softshare.tasks.task_set import TaskSet

SPLITS = "splits"
COUNTED = "rows of the source in its own order, the first being 0"

RowsOfPart = Sequence[int] | Mapping[str, Sequence[int]]


def write_split(
    out: Path,
    tasks: TaskSet,
    split: Split,
) -> Path:
    """Write a split under its digest, unless its file is there and whole."""
    digest = split.digest()
    content = {
        "format": FORMAT,
        "split": digest,
        "rows": COUNTED,
        **rows_of_parts(tasks, split),
    }
    return write_text(split_path(out, digest), seal(content))


def split_path(out: Path, digest: str) -> Path:
    """Where the split of this digest is kept, in the folder of a comparison."""
    return out / SPLITS / f"{digest}.json"


def read_split(path: Path, tasks: TaskSet) -> Split:
    """The split of these tasks that a file holds.

    Raises:
        ValueError: the file is damaged, of another version, or of another task set.
        OSError: it cannot be read.
    """
    remedy = "`softshare compare` makes it again in the folder of its records"
    try:
        content = unseal(path.read_bytes())
        check(content, SplitFile)
        parts = {part: content[part] for part in PARTS}
        found = split_of_rows(tasks, parts)
        if not path.stem == content["split"] == found.digest():
            raise ValueError("it is the split of other tasks, or has another's name")
    except (ValueError, KeyError) as error:
        reason = f"it has no task {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"the split {path} cannot be relied on ({reason}); {remedy}") from None
    return found


def rows_of_parts(tasks: TaskSet, split: Split) -> dict[str, RowsOfPart]:
    """Part → rows of the source, sorted; where tasks have several sources, task → rows of its own.

    A row that has no label in any task is in no part, and a training row that the training fraction
    leaves out is in none either.
    """
    by_part: dict[str, RowsOfPart] = {}
    for part in PARTS:
        entries = getattr(split, part)
        if len(tasks.sources) == 1:
            by_part[part] = np.unique(tasks.rows[entries]).tolist()
            continue
        task_of_entry = tasks.task_of[entries]
        by_task = {}
        for number, task in enumerate(tasks.tasks):
            own = entries[task_of_entry == number]
            by_task[task.label] = np.sort(tasks.rows[own]).tolist()
        by_part[part] = by_task
    return by_part


def split_of_rows(tasks: TaskSet, parts: Mapping[str, RowsOfPart]) -> Split:
    """The split that :func:`rows_of_parts` wrote, of the same tasks."""
    entries = {}
    for part, rows in parts.items():
        held = np.zeros(len(tasks.rows), dtype=bool)
        for number, task in enumerate(tasks.tasks):
            of_task = rows[task.label] if isinstance(rows, Mapping) else rows
            own = np.asarray(of_task, dtype=np.int64)
            place = tasks.entries(number)
            held[place] = np.isin(tasks.rows[place], own)
        entries[part] = np.flatnonzero(held)
    return Split(**entries)
