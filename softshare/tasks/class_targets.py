"""A target of classes: their spellings, how many may be, and which of two is the positive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from softshare.tasks import missing
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.asking import Asking
from softshare.tasks.category_columns import spellings
from softshare.tasks.levels import Levels, text_of
from softshare.tasks.reading import is_truth
from softshare.tasks.target_values import TargetReading, missing_notes
from softshare.tasks.targets import positive_place
from softshare.tasks.task import Kind
from softshare.tasks.written_numbers import Written

MOST_CLASSES = 50

ROWS_A_CLASS = 5
"""Texts are no classes where there are more of them, each in fewer rows on average."""


def classes_of(
    name: str,
    levels: Levels,
    kind: Kind | None,
    asking: Asking,
    *,
    as_written: bool,
) -> TargetReading:
    """The target of classes; texts that differ in capitals alone are one."""
    texts = levels.texts
    absent = _absent(texts, asking)
    of_missing = missing_notes(name, levels.as_texts(), absent)
    if absent.all():
        empty = pd.Series(np.nan, index=range(levels.n_rows), name=name)
        return TargetReading(empty, "empty", of_missing)
    if levels.held == "boolean":
        texts = [str(bool(float(text))) for text in texts]
    known = [text for text, gone in zip(texts, absent, strict=True) if not gone]
    counts = levels.counts[~absent]
    keep = as_written or levels.held == "categories"
    same = {} if keep else spellings(known, counts)
    classes = [text for text in known if text not in same]
    if levels.held not in ("categories", "boolean"):
        classes.sort()
    _check_number(
        name,
        len(classes),
        int(counts.sum()),
        known,
        counts,
        kind,
    )
    of_class = {text: place for place, text in enumerate(classes)}
    places = []
    for text, gone in zip(texts, absent, strict=True):
        places.append(-1 if gone else of_class[same.get(text, text)])
    codes = np.append(places, -1)[levels.codes]
    values = pd.Series(_categorical(codes, classes), name=name)
    notes = (*of_missing, *_spelling_notes(name, same))
    return TargetReading(values, "classes", notes)


def _absent(texts: list[str], asking: Asking) -> np.ndarray:
    """Which texts mean that there is no label."""
    absent = missing.mask_of(texts, asking.missing(missing.ALWAYS))
    if asking.na is None:
        absent &= ~_are_values(texts, absent)
    return absent


def _spelling_notes(name: str, same: Mapping[str, str]) -> Iterator[str]:
    """Which spellings were read as one class."""
    if same:
        pairs = list(same.items())[:5]
        variants = ", ".join(f"{text!r} as {one!r}" for text, one in pairs)
        told = f"spellings read as one class: {variants}; columns {name}=category keeps them apart"
        yield f"target {name!r}: {told}"


def _categorical(codes: np.ndarray, classes: list[str]) -> Any:
    return pd.Categorical.from_codes(codes.tolist(), pd.Index(classes, dtype=object))


def _are_values(texts: list[str], absent: np.ndarray) -> np.ndarray:
    """Which words for missing are classes here: ``NA`` among codes of two capitals."""
    others = [text for text, gone in zip(texts, absent, strict=True) if not gone]
    are_short = all(len(text) == 2 for text in others)
    are_capitals = all(text.isupper() for text in others)
    is_code = len(others) >= 2 and are_short and are_capitals
    return np.array([is_code and text == "NA" for text in texts], dtype=bool)


def _check_number(
    name: str,
    n_classes: int,
    n_rows: int,
    known: list[str],
    counts: np.ndarray,
    kind: Kind | None,
) -> None:
    if kind is not None or n_classes <= MOST_CLASSES or n_classes * ROWS_A_CLASS <= n_rows:
        return
    is_number = np.array([Written.of(text) is not None for text in known])
    fraction = counts[is_number].sum() / counts.sum()
    remedy = "kind multiclass reads each as a class"
    if fraction >= 0.5:
        other = known[int(np.argmin(is_number))]
        remedy = f"{fraction:.0%} are numbers, others such as {other!r} are not: correct them"
    raise ValueError(
        f"target {name!r} has {n_classes:,} different texts in {n_rows:,} rows, too many to be "
        f"classes; {remedy}"
    )


def with_positive(
    name: str,
    made: TargetReading,
    kind: Kind | None,
    positive: str | None,
    is_one_of_several: bool,
) -> TargetReading:
    """The same, the positive class of two as the last of the categories."""
    values: Any = made.values
    if isinstance(values.dtype, pd.CategoricalDtype):
        classes = list(values.cat.categories)
        counts = values.cat.codes.value_counts()
    elif positive is not None and values.nunique() == 2:
        classes = [text_of(value) for value in sorted(values.dropna().unique())]
        codes = pd.factorize(values, sort=True)[0]
        values = pd.Series(_categorical(codes, classes), name=name)
        counts = values.cat.codes.value_counts()
    else:
        classes = []
    if is_one_of_several and positive not in classes:
        positive = None
    if positive is not None and positive not in classes:
        there = ", ".join(classes) or "none: it is a number"
        raise ArgumentError(("positive", f"target {name!r} has no class {positive!r}, but {there}"))
    if len(classes) != 2 or kind == "multiclass":
        return replace(made, values=values)
    of_class = [int(counts.get(place, 0)) for place in (0, 1)]
    place = classes.index(positive) if positive is not None else positive_place(classes, of_class)
    ordered = [classes[1 - place], classes[place]]
    values = pd.Series(pd.Categorical(values, categories=ordered), name=name)
    n_positive = of_class[place]
    total = sum(of_class)
    of_rows = f"{n_positive:,} of {total:,} rows"
    note = (
        f"target {name!r}: the positive class is {ordered[1]!r} ({of_rows}); "
        f"positive {ordered[0]} makes it the other"
    )
    is_plain = all(map(is_truth, classes)) or classes == ["0", "1"]
    notes = made.notes if is_plain and positive is None else (*made.notes, note)
    return TargetReading(
        values,
        made.why,
        notes,
    )
