"""From a target column as it stands in a table to numbers or classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from softshare.tasks import missing, written_dates
from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.class_targets import classes_of, with_positive
from softshare.tasks.levels import Levels
from softshare.tasks.number_targets import Numbers, numbers_as_target, quantity, texts_as_target
from softshare.tasks.target_values import TargetReading
from softshare.tasks.targets import MAX_WHOLE_NUMBERS, as_quantity
from softshare.tasks.task import Kind
from softshare.tasks.written_dates import UnclearDatesError


def read_target(
    column: pd.Series,
    *,
    kind: Kind | None = None,
    positive: str | None = None,
    asking: Asking = NOTHING_SAID,
    is_one_of_several: bool = False,
) -> TargetReading:
    """A target column understood; one in which nothing stands stays empty.

    Args:
        column: as it stands in the table.
        kind: of the target, where that was said.
        positive: the class whose probability a binary target's score is.
        asking: what was said of how to read the table.
        is_one_of_several: the positive class may be another target's.

    Raises:
        ValueError: it can be no target: dates, numbers written in two ways, texts of which nearly
            every row has another.
    """
    name = str(column.name)
    try:
        levels = Levels.of(as_quantity(column) if kind == "regression" else column)
    except TypeError:
        raise ValueError(f"target {name!r} holds lists or other objects") from None
    if not len(levels.values):
        return TargetReading(pd.Series(np.nan, index=range(len(column)), name=name), "empty")
    if levels.held in ("date", "duration"):
        raise _no_dates(name, "dates or times")
    numbers = _numbers_of(name, levels, kind, asking)
    if numbers is None:
        made = classes_of(
            name, levels, kind, asking, as_written=asking.columns.get(name) == "category"
        )
    else:
        made = quantity(name, levels, numbers, kind)
    if levels.held == "categories" and positive is None:
        return made  # whose owner has put them in order
    return with_positive(name, made, kind, positive, is_one_of_several)


def _numbers_of(name: str, levels: Levels, kind: Kind | None, asking: Asking) -> Numbers | None:
    """The numbers of a target; None where it is of classes."""
    asked = asking.columns.get(name)
    if levels.held == "text":
        _refuse_dates(name, levels, asking)
        numbers = None if asked == "category" else texts_as_target(name, levels, kind, asking)
        if numbers is None and asked == "number":
            raise ValueError(f"target {name!r} holds no numbers, such as {levels.values[0]!r}")
    elif levels.held == "number" and asked != "category":
        numbers = numbers_as_target(name, levels.values, levels, asking, kind=kind)
    else:
        numbers = None
    return numbers


def _no_dates(name: str, what: str) -> ValueError:
    return ValueError(
        f"target {name!r} holds {what}; a target cannot be dates or times; turn them into numbers "
        "first, such as the days until then"
    )


def _refuse_dates(name: str, levels: Levels, asking: Asking) -> None:
    words = asking.missing(missing.AMONG_NUMBERS)
    texts = [text for text in levels.values if text.lower() not in words]
    try:
        form = written_dates.form_of(texts)
    except UnclearDatesError:
        form = "day-first"
    if form == "digits":
        is_date = np.isfinite(written_dates.seconds_of(texts, "digits"))
        form = form if is_date.all() and len(texts) > MAX_WHOLE_NUMBERS else None
    if form is not None and asking.columns.get(name) is None:
        raise _no_dates(name, f"dates or times such as {texts[0]!r}")
