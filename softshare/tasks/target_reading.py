"""From a target column as it stands in a table to numbers or classes, and what its owner should
know of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from softshare.tasks import missing, written_dates, written_numbers
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.category_columns import spellings
from softshare.tasks.levels import Levels
from softshare.tasks.number_texts import MOSTLY
from softshare.tasks.reading import is_truth
from softshare.tasks.targets import MAX_WHOLE_NUMBERS, are_whole, infer_kind, positive_place
from softshare.tasks.task import Kind
from softshare.tasks.written_dates import UnclearDatesError
from softshare.tasks.written_numbers import NumberForm, UnclearNumbersError, Written

MOST_CLASSES = 50
ROWS_A_CLASS = 5
"""Texts are no classes where there are more of them, each in fewer rows on average."""


@dataclass(frozen=True, eq=False)
class TargetReading:
    """A target column as it is learned.

    Args:
        values: numbers, or pandas categories of which the last of two is the positive class;
            missing where there is no label.
        why: how it was read, in a few words.
        notes: what its owner should know.
    """

    values: pd.Series
    why: str
    notes: tuple[str, ...] = ()


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
        levels = Levels.of(column)
    except TypeError:
        raise ValueError(f"target {name!r} holds lists or other objects") from None
    if not len(levels.values):
        return TargetReading(
            pd.Series(
                np.nan,
                index=range(len(column)),
                name=name,
            ),
            "empty",
        )
    if levels.held in ("date", "duration"):
        raise _no_dates(name, "dates or times")
    asked = asking.columns.get(name)
    if levels.held == "text":
        _refuse_dates(
            name,
            levels,
            asking,
        )
        numbers = (
            None
            if asked == "category"
            else _numbers(
                name,
                levels,
                kind,
                asking,
            )
        )
        if numbers is None and asked == "number":
            raise ValueError(f"target {name!r} holds no numbers, such as {levels.values[0]!r}")
    elif levels.held == "number" and asked != "category":
        numbers = _of_numbers(
            name,
            levels.values,
            levels,
            asking,
        )
    else:
        numbers = None
    if numbers is None:
        made = _classes(
            name,
            levels,
            kind,
            asking,
            as_written=asked == "category",
        )
    else:
        made = _quantity(
            name,
            levels,
            numbers,
            kind,
        )
    if levels.held == "categories" and positive is None:
        return made  # whose owner has put them in order
    return _with_positive(
        name,
        made,
        kind,
        positive,
        is_one_of_several,
    )


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


# --- numbers -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Numbers:
    of_levels: np.ndarray
    why: str
    notes: tuple[str, ...] = ()


def _numbers(
    name: str,
    levels: Levels,
    kind: Kind | None,
    asking: Asking,
) -> _Numbers | None:
    """The numbers that texts are, or None where they are classes."""
    words = asking.missing(missing.AMONG_NUMBERS)
    absent = missing.mask_of(levels.values, words)
    texts, counts = list(levels.values[~absent]), levels.counts[~absent]
    if not texts:
        return None
    is_number = np.array([Written.of(text) is not None for text in texts])
    fraction = counts[is_number].sum() / counts.sum()
    must = kind == "regression" or asking.columns.get(name) == "number"
    if fraction < MOSTLY and not must:
        return None
    numbered = [text for text, fits in zip(texts, is_number, strict=True) if fits]
    if not must and _are_codes(numbered):
        return None
    try:
        form = written_numbers.form_of(
            numbered,
            decimal=asking.decimal,
            usual=asking.usual,
        )
    except UnclearNumbersError as error:
        raise ValueError(f"target {name!r}: {error}; say which (decimal '.' or ',')") from None
    if form is None:
        if len(numbered) <= MAX_WHOLE_NUMBERS and not must:
            return None
        raise ValueError(
            f"target {name!r} has numbers written in several ways, such as {numbered[0]!r} and "
            f"{numbered[-1]!r}; write them in one"
        )
    of_levels = np.full(len(levels.values), np.nan)
    of_levels[~absent] = form.numbers(texts)
    wrong = np.isnan(of_levels) & ~absent
    if wrong.any():
        if len(texts) <= MAX_WHOLE_NUMBERS and (levels.counts[wrong] > 1).all() and not must:
            return None
        raise _mistake(
            name,
            levels,
            wrong,
            must=must,
        )
    notes = _missing_notes(
        name,
        levels,
        absent,
    )
    return _of_numbers(
        name,
        of_levels,
        levels,
        asking,
        notes=notes,
        form=form,
    )


def _are_codes(texts: list[str]) -> bool:
    """Whether digits are names: ``007``, or ``1E5`` among a few whole numbers."""
    if any(map(written_numbers.is_code, texts)):
        return True
    few = len(texts) <= MAX_WHOLE_NUMBERS
    return few and any(map(written_numbers.is_code_with_exponent, texts))


def _mistake(name: str, levels: Levels, wrong: np.ndarray, *, must: bool) -> ValueError:
    places = np.flatnonzero(wrong)
    first = int(np.isin(levels.codes, places).argmax())
    text = levels.values[levels.codes[first]]
    if must:
        return ValueError(
            f"task {name!r}: a regression target must be numbers, found {text!r} in row {first + 1}"
        )
    n_rows = int(levels.counts[wrong].sum())
    return ValueError(
        f"column {name!r} holds numbers, but {n_rows} value(s) are not: {text!r} in row "
        f"{first + 1} (the header not counted); correct them, leave them empty, say that they mean "
        "missing (na), or read classes (kind multiclass)"
    )


def _missing_notes(name: str, levels: Levels, absent: np.ndarray) -> tuple[str, ...]:
    if not absent.any():
        return ()
    written = ", ".join(repr(str(text)) for text in levels.values[absent][:5])
    n_rows = int(levels.counts[absent].sum())
    return (f"target {name!r}: {n_rows:,} row(s) say {written}, read as no label (na)",)


def _of_numbers(
    name: str,
    of_levels: np.ndarray,
    levels: Levels,
    asking: Asking,
    *,
    notes: tuple[str, ...] = (),
    form: NumberForm | None = None,
) -> _Numbers:
    found = list(notes)
    infinite = np.isinf(of_levels)
    if infinite.any():
        row = int(np.isin(levels.codes, np.flatnonzero(infinite)).argmax())
        n_rows = int(levels.counts[infinite].sum())
        raise ValueError(
            f"target {name!r} has {n_rows} infinite value(s), the first in row {row + 1}"
        )
    is_asked = asking.columns.get(name) is not None or asking.na is not None
    codes = () if is_asked else missing.codes_among(of_levels, levels.counts)
    if codes and len(of_levels) > MAX_WHOLE_NUMBERS:
        here = np.isin(of_levels, codes)
        told = ", ".join(f"{code:g}" for code in codes)
        n_rows = int(levels.counts[here].sum())
        found.append(
            f"target {name!r}: {told} in {n_rows:,} row(s) is read as no label; columns "
            f"{name}=number reads it as a number"
        )
        of_levels = np.where(here, np.nan, of_levels)
    why = "numbers"
    if form is not None and form.unit:
        why += f" without {form.unit!r}"
    if form is not None and form.thousands:
        why += f", thousands marked by {form.thousands!r}"
    if form is not None and form.decimal == ",":
        why += ", decimal commas"
    return _Numbers(
        of_levels,
        why,
        tuple(found),
    )


def _quantity(name: str, levels: Levels, numbers: _Numbers, kind: Kind | None) -> TargetReading:
    values = pd.Series(levels.numbers_by_row(numbers.of_levels), name=name)
    notes = numbers.notes
    n_values = int(values.nunique())
    if kind is None and 3 <= n_values <= MAX_WHOLE_NUMBERS and are_whole(numbers.of_levels):
        inferred = infer_kind(values)
        low, high = values.min(), values.max()
        span = f"target {name!r}: whole numbers from {low:g} to {high:g} are read as"
        if inferred == "regression":
            notes = (*notes, f"{span} a number; kind multiclass reads {n_values} classes")
        else:
            notes = (*notes, f"{span} {n_values} classes; kind regression reads a number")
    return TargetReading(
        values,
        numbers.why,
        notes,
    )


# --- classes -------------------------------------------------------------------------------------


def _classes(
    name: str,
    levels: Levels,
    kind: Kind | None,
    asking: Asking,
    *,
    as_written: bool,
) -> TargetReading:
    texts = levels.texts
    absent = missing.mask_of(texts, asking.missing(missing.ALWAYS))
    if asking.na is None:
        absent &= ~_are_values(texts, absent)
    if absent.all():
        without = _missing_notes(
            name,
            levels.as_texts(),
            absent,
        )
        empty = pd.Series(
            np.nan,
            index=range(levels.n_rows),
            name=name,
        )
        return TargetReading(
            empty,
            "empty",
            without,
        )
    known = [text for text, gone in zip(texts, absent, strict=True) if not gone]
    counts = levels.counts[~absent]
    keep = as_written or levels.held == "categories"
    same = {} if keep else spellings(known, counts)
    classes = [text for text in known if text not in same]
    if levels.held not in ("categories", "boolean"):
        classes.sort()
    if levels.held == "boolean":
        classes = [str(bool(float(text))) for text in classes]
        texts = [str(bool(float(text))) for text in texts]
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
    notes = list(
        _missing_notes(
            name,
            levels.as_texts(),
            absent,
        )
    )
    if same:
        variants = ", ".join(f"{text!r} as {same[text]!r}" for text in list(same)[:5])
        told = f"spellings read as one class: {variants}; columns {name}=category keeps them apart"
        notes.append(f"target {name!r}: {told}")
    return TargetReading(
        values,
        "classes",
        tuple(notes),
    )


def _categorical(codes: np.ndarray, classes: list[str]) -> Any:
    return pd.Categorical.from_codes(codes.tolist(), pd.Index(classes, dtype=object))


def _are_values(texts: list[str], absent: np.ndarray) -> np.ndarray:
    """Which words for missing are classes here: ``NA`` among codes of two capitals."""
    others = [text for text, gone in zip(texts, absent, strict=True) if not gone]
    is_code = len(others) >= 2 and all(len(text) == 2 and text.isupper() for text in others)
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


def _with_positive(
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
        classes = [f"{value:g}" for value in sorted(values.dropna().unique())]
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
        return TargetReading(
            values,
            made.why,
            made.notes,
        )
    of_class = [int(counts.get(place, 0)) for place in (0, 1)]
    place = classes.index(positive) if positive is not None else positive_place(classes, of_class)
    ordered = [classes[1 - place], classes[place]]
    values = pd.Series(pd.Categorical(values, categories=ordered), name=name)
    total = sum(of_class)
    note = (
        f"target {name!r}: the positive class is {ordered[1]!r} ({of_class[place]:,} of {total:,} "
        f"rows); positive {ordered[0]} makes it the other"
    )
    is_plain = all(map(is_truth, classes)) or classes == ["0", "1"]
    notes = made.notes if is_plain and positive is None else (*made.notes, note)
    return TargetReading(
        values,
        made.why,
        notes,
    )
