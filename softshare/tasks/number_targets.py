"""A target that is a number: how it is written, which mistakes and codes for no label it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from softshare.tasks import missing, written_numbers
from softshare.tasks.asking import Asking
from softshare.tasks.far_values import told_far
from softshare.tasks.levels import Levels, text_of
from softshare.tasks.number_texts import MOSTLY, are_numbers, several_ways, written_cautions
from softshare.tasks.target_values import TargetReading, WrittenTarget, missing_notes
from softshare.tasks.targets import MAX_WHOLE_NUMBERS, are_whole, infer_kind
from softshare.tasks.task import Kind
from softshare.tasks.written_numbers import NumberForm, UnclearNumbersError


@dataclass(frozen=True, eq=False)
class Numbers:
    """The number that each value of a column stands for, and how it was read."""

    of_levels: np.ndarray
    why: str
    notes: tuple[str, ...]
    written: WrittenTarget


def texts_as_target(
    name: str,
    levels: Levels,
    kind: Kind | None,
    asking: Asking,
) -> Numbers | None:
    """The numbers that texts are, or None where they are classes."""
    words = asking.missing(missing.AMONG_NUMBERS)
    absent = missing.mask_of(levels.values, words)
    texts, counts = list(levels.values[~absent]), levels.counts[~absent]
    if not texts:
        return None
    is_number = are_numbers(texts, counts)
    fraction = counts[is_number].sum() / counts.sum()
    must = kind == "regression" or asking.columns.get(name) == "number"
    if fraction < MOSTLY and not must:
        return None
    numbered = [text for text, fits in zip(texts, is_number, strict=True) if fits]
    if not must and _are_codes(numbered):
        return None
    form = _form_of(name, numbered, asking, must=must)
    if form is None:
        return None
    of_levels = np.full(len(levels.values), np.nan)
    of_levels[~absent] = form.numbers(texts)
    wrong = np.isnan(of_levels) & ~absent
    if wrong.any():
        if kind in ("binary", "multiclass"):
            return None
        if len(texts) <= MAX_WHOLE_NUMBERS and (levels.counts[wrong] > 1).all() and not must:
            return None
        raise _mistake(
            name,
            levels,
            wrong,
            must=must,
        )
    notes = missing_notes(
        name,
        levels,
        absent,
    )
    notes += written_cautions(f"target {name!r}", texts, form)
    return numbers_as_target(
        name,
        of_levels,
        levels,
        asking,
        kind=kind,
        notes=notes,
        form=form,
    )


def _form_of(
    name: str,
    texts: list[str],
    asking: Asking,
    *,
    must: bool,
) -> NumberForm | None:
    """The one way in which all are written; None where there is none, and they may be classes."""
    try:
        form = written_numbers.form_of(texts, decimal=asking.decimal, usual=asking.usual)
    except UnclearNumbersError as error:
        raise ValueError(f"target {name!r}: {error}; say which (decimal '.' or ',')") from None
    if form is None and (must or len(texts) > MAX_WHOLE_NUMBERS):
        told = several_ways(texts) or f"in several units, such as {texts[0]!r} and {texts[-1]!r}"
        raise ValueError(f"target {name!r} has numbers {told}; write them in one")
    return form


def _are_codes(texts: list[str]) -> bool:
    """Whether digits are names: ``007``, or ``1E5`` among a few whole numbers."""
    if any(map(written_numbers.is_code, texts)):
        return True
    few = len(texts) <= MAX_WHOLE_NUMBERS
    return few and any(map(written_numbers.is_code_with_exponent, texts))


def _mistake(
    name: str,
    levels: Levels,
    wrong: np.ndarray,
    *,
    must: bool,
) -> ValueError:
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


def numbers_as_target(
    name: str,
    of_levels: np.ndarray,
    levels: Levels,
    asking: Asking,
    *,
    kind: Kind | None = None,
    notes: tuple[str, ...] = (),
    form: NumberForm | None = None,
) -> Numbers:
    """The same numbers without those that are codes for no label; infinite ones are refused."""
    found = list(notes)
    infinite = np.isinf(of_levels)
    if infinite.any():
        row = int(np.isin(levels.codes, np.flatnonzero(infinite)).argmax())
        n_rows = int(levels.counts[infinite].sum())
        raise ValueError(
            f"target {name!r} has {n_rows} infinite value(s), the first in row {row + 1}"
        )
    are_classes = kind in ("binary", "multiclass")
    is_asked = asking.columns.get(name) is not None or asking.na is not None or are_classes
    codes: tuple[float, ...] = ()
    if not is_asked:
        codes = missing.codes_among(of_levels, levels.counts)
    here = np.isin(of_levels, codes)
    if codes and 2 * levels.counts[here].sum() < levels.counts.sum():
        told = ", ".join(map(text_of, codes))
        n_rows = int(levels.counts[here].sum())
        found.append(
            f"target {name!r}: {told} in {n_rows:,} row(s) is read as no label; columns "
            f"{name}=number reads it as a number, and kind multiclass as a class"
        )
        of_levels = np.where(here, np.nan, of_levels)
    found += told_far(f"target {name!r}", of_levels, levels.counts)
    why = "numbers"
    if form is not None and form.unit:
        why += f" without {form.unit!r}"
    if form is not None and form.thousands:
        why += f", thousands marked by {form.thousands!r}"
    if form is not None and form.decimal == ",":
        why += ", decimal commas"
    return Numbers(
        of_levels,
        why,
        tuple(found),
        WrittenTarget(form or NumberForm(), codes),
    )


def quantity(
    name: str,
    levels: Levels,
    numbers: Numbers,
    kind: Kind | None,
) -> TargetReading:
    """The target of numbers, and what few whole ones are read as."""
    values = pd.Series(levels.numbers_by_row(numbers.of_levels), name=name)
    notes = numbers.notes
    n_values = int(values.nunique())
    if kind is None and 3 <= n_values <= MAX_WHOLE_NUMBERS and are_whole(numbers.of_levels):
        inferred = infer_kind(values)
        low, high = values.min(), values.max()
        span = f"target {name!r}: whole numbers from {text_of(low)} to {text_of(high)} are read as"
        if inferred == "regression":
            notes = (*notes, f"{span} a number; kind multiclass reads {n_values} classes")
        else:
            notes = (*notes, f"{span} {n_values} classes; kind regression reads a number")
    return TargetReading(
        values,
        numbers.why,
        notes,
        numbers.written,
    )
