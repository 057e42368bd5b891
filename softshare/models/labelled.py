"""Labels of new rows, read as the training part's were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from softshare.tasks import missing
from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.levels import Levels
from softshare.tasks.reading import Reading
from softshare.tasks.table_use import TableUse
from softshare.tasks.target_reading import read_target
from softshare.tasks.target_values import WrittenTarget
from softshare.tasks.task import Task


def labels_of(column: pd.Series, like: Task, used: TableUse | None) -> np.ndarray:
    """Numbers in the target's own unit, or the places of classes; NaN where there is no label.

    Args:
        column: of a table.
        like: the kind and the classes of the target.
        used: what the columns of the table that was learned from were for; None where the model
            has learned from no table.

    Raises:
        ValueError: a value is no number, or no class that was learned; names it.

    Shape:
        ``(N,)``.
    """
    asking = NOTHING_SAID if used is None else used.asking
    levels = Levels.of(column)
    if like.kind == "regression":
        written = None if used is None else used.written.get(str(column.name))
        if written is not None and levels.held in ("text", "number"):
            return _numbers_of(str(column.name), levels, written, asking)
        read = read_target(column, kind="regression", asking=asking)
        return read.values.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = levels.texts
    if levels.held == "boolean":
        texts = [str(bool(float(text))) for text in texts]
    place_of = _places(like.classes)
    absent = missing.mask_of(texts, asking.missing(missing.ALWAYS))
    places, strange = [], []
    for text, gone in zip(texts, absent, strict=True):
        place = place_of.get(text, place_of.get(_folded(text)))
        if place is None and not gone:
            strange.append(text)
        places.append(np.nan if place is None else float(place))
    if strange:
        told = ", ".join(map(repr, strange[:5]))
        raise ValueError(
            f"target {column.name!r} has classes that were not learned: {told}; the learned ones "
            f"are {', '.join(like.classes)}"
        )
    return levels.numbers_by_row(np.array(places))


def _numbers_of(name: str, levels: Levels, written: WrittenTarget, asking: Asking) -> np.ndarray:
    """Numbers as they were written in training: few rows alone may not tell whether 4.400 is
    four thousand, nor that -999 is no label.
    """
    reading = Reading(
        name,
        "number",
        number=written.number,
        missing=tuple(asking.missing(missing.AMONG_NUMBERS)),
    )
    numbers = reading.numbers(levels)
    return levels.numbers_by_row(np.where(np.isin(numbers, written.no_label), np.nan, numbers))


def _places(classes: Sequence[str]) -> Mapping[str, int]:
    """Class → its place, in capitals and without, as far as these tell classes apart."""
    places: dict[str, int] = {}
    for place, text in enumerate(classes):
        places.setdefault(_folded(text), place)
    places.update({text: place for place, text in enumerate(classes)})
    return places


def _folded(text: str) -> str:
    """What spellings of one class have in common: ``1`` and ``1.0``, ``Yes`` and ``yes``."""
    try:
        return f"{float(text):.17g}"
    except ValueError:
        return text.strip().casefold()
