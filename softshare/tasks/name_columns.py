"""Columns that name tasks and groups: every name as it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd

from softshare.tasks import missing
from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.levels import Levels


def read_names(
    column: pd.Series,
    asking: Asking = NOTHING_SAID,
) -> tuple[pd.Series, tuple[str, ...]]:
    """A column of names, missing where nothing stands, and what its owner should know of them.

    Names are what is written, without blanks around them: ``007`` is not ``7``, and ``NA`` may be a
    country. Only what :class:`Asking` calls missing is.
    """
    levels = Levels.of(column)
    if levels.held not in ("text", "number"):
        return column.reset_index(drop=True), ()
    texts = levels.texts
    absent = missing.mask_of(texts, asking.missing(frozenset()))
    names = [None if gone else text for text, gone in zip(texts, absent, strict=True)]
    by_row = np.array([*names, None], dtype=object)[levels.codes]
    known = [name for name in names if name is not None]
    notes = _notes(
        str(column.name),
        known,
        levels,
    )
    return pd.Series(
        by_row,
        name=column.name,
        dtype=object,
    ), notes


def _notes(name: str, known: Sequence[str], levels: Levels) -> tuple[str, ...]:
    notes = []
    if levels.trimmed:
        told = f"{levels.trimmed} name(s) are written with blanks around them and without"
        notes.append(f"task column {name!r}: {told}; they are read as one")
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for text in known:
        alike[_folded(text)].append(text)
    for texts in list(alike.values()):
        if len(texts) > 1:
            listed = ", ".join(map(repr, texts))
            notes.append(
                f"task column {name!r}: {listed} are tasks of their own; are they meant to be?"
            )
    for text in known:
        if text.lower() in missing.ALWAYS:
            told = f"{text!r} is read as a name; na {text} makes it missing"
            notes.append(f"task column {name!r}: {told}")
    most = 5
    if len(notes) > most:
        n_more = len(notes) - most
        notes = [*notes[:most], f"task column {name!r}: {n_more} more names alike"]
    return tuple(notes)


def _folded(text: str) -> str:
    """What names have in common that differ in capitals or in how a number is written."""
    try:
        return f"{float(text):.17g}"
    except ValueError:
        return " ".join(text.casefold().split())
