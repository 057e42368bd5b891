"""What is unfamiliar in new rows: columns that were not learned, and categories."""

from __future__ import annotations

import pandas as pd

from softshare.tasks.features import TableColumns
from softshare.tasks.levels import Levels
from softshare.tasks.task_set import TaskSet

TOLD = 5
"""Names that a line tells."""


def absent_columns(form: TaskSet, frame: pd.DataFrame) -> list[str]:
    """The columns that the model needs and the table lacks, those that name tasks among them."""
    needed = [] if form.table is None else list(form.table.task)
    for fitted in form.preprocessing:
        if isinstance(fitted, TableColumns):
            needed += [reading.name for reading in fitted.readings]
    there = set(map(str, frame.columns))
    return [name for name in dict.fromkeys(needed) if name not in there]


def unfamiliar(form: TaskSet, frame: pd.DataFrame) -> list[str]:
    """A line for each column with categories that no training row has had, and one for columns that
    are not used.
    """
    lines = []
    used: set[str] = set()
    if form.table is not None:
        used |= {*form.table.task, *form.table.target}
    for fitted in form.preprocessing:
        if not isinstance(fitted, TableColumns):
            continue
        for reading in fitted.readings:
            used.add(reading.name)
            known = fitted.known_categories.get(reading.name)
            if known is None:
                continue
            levels = Levels.of(frame[reading.name])
            told = zip(reading.categories(levels), levels.counts.tolist(), strict=True)
            new = {text: count for text, count in told if text is not None and text not in known}
            if new:
                names = _listed([repr(name) for name in new])
                lines.append(
                    f"column {reading.name!r}: {sum(new.values()):,} row(s) with categories that "
                    f"were not learned ({names}), taken for none of the known ones"
                )
    others = [str(name) for name in frame.columns if str(name) not in used]
    if others:
        lines.append(f"not used: {_listed([repr(name) for name in others])}")
    return lines


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return ", ".join(names[:TOLD]) + more
