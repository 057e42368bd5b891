"""Texts that are numbers: the one way in which they are written, or why there is none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from softshare.tasks import written_numbers
from softshare.tasks.asking import Asking
from softshare.tasks.levels import Levels
from softshare.tasks.reading import Reading
from softshare.tasks.written_numbers import PLAIN, NumberForm, UnclearNumbersError, Written

MOSTLY = 0.9
"""A column of which so many rows are numbers is one of numbers with mistakes in it."""


FEW_VALUES = 20
"""Texts that stand among numbers and come again are categories where there are no more values."""


def are_numbers(texts: Sequence[str], counts: np.ndarray) -> np.ndarray:
    """Which texts of a column are numbers, ``(len(texts),)``: what stands behind them is a unit, or
    stands behind many, and is not the mark of a few: ``45*``.

    Args:
        texts: different ones.
        counts: the rows of each.
    """
    units = [None if found is None else found.unit for found in map(Written.of, texts)]
    n_rows: Counter[str | None] = Counter()
    for unit, count in zip(units, counts.tolist(), strict=True):
        n_rows[unit] += count
    fits = set(written_numbers.KNOWN)
    least = (1 - MOSTLY) * counts.sum()
    for unit, count in n_rows.items():
        if unit is not None and count > least:
            fits.add(unit)
    return np.array([unit in fits for unit in units], dtype=bool)


def are_categories(
    texts: Sequence[str],
    counts: np.ndarray,
    is_number: np.ndarray,
) -> bool:
    """Whether what stands among numbers is a category, as ``5+`` in a column of 1 to 4."""
    others = counts[~is_number]
    return len(texts) <= FEW_VALUES and len(others) > 0 and bool((others > 1).all())


def texts_as_numbers(
    name: str, levels: Levels, known: np.ndarray, asking: Asking, *, is_number: bool
) -> Reading | None:
    """The reading of texts as numbers, of kind category where they are codes of digits; None where
    they are neither.
    """
    texts, counts = list(levels.values[known]), levels.counts[known]
    if not PLAIN.issuperset("".join(texts)):
        is_written = are_numbers(texts, counts)
        if counts[is_written].sum() < MOSTLY * counts.sum():
            return None
        if not is_number and are_categories(texts, counts, is_written):
            return None
        texts = [text for text, fits in zip(texts, is_written, strict=True) if fits]
    if not is_number and any(map(written_numbers.is_code, texts)):
        return Reading(name, "category", "codes of digits, such as " + _first_code(texts))
    try:
        form = written_numbers.form_of(texts, decimal=asking.decimal, usual=asking.usual)
    except UnclearNumbersError as error:
        raise ValueError(f"column {name!r}: {error}; say which (decimal '.' or ',')") from None
    if form is None:
        return _of_several_forms(name, texts)
    read = np.isfinite(form.numbers(texts))
    if read.mean() < MOSTLY:
        return None  # 10.0.0.1, or 030 123456
    return Reading(
        name,
        "number",
        _how_written(form),
        number=form,
        cautions=written_cautions(f"column {name!r}", texts, form),
    )


def _first_code(texts: Sequence[str]) -> str:
    return next(text for text in texts if written_numbers.is_code(text))


def _of_several_forms(
    name: str,
    texts: Sequence[str],
) -> Reading | None:
    """What to do where numbers are not written in one way: refuse them, unless they are names."""
    told = several_ways(texts)
    if told is None:
        return None
    raise ValueError(
        f"column {name!r} has numbers {told}; write them in one, read them as categories "
        f"(columns {name}=category), or leave the column out (drop {name!r})"
    )


def several_ways(texts: Sequence[str]) -> str | None:
    """In how many units or ways numbers are written, with two of them; None where what stands
    behind some of them is no unit, so that they are names.
    """
    units: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        found = Written.of(text)
        if found is not None:
            units[found.unit].append(text)
    signs = written_numbers.SIGNS
    if not set(units) <= written_numbers.KNOWN:
        return None
    of_two = [repr(of_unit[0]) for of_unit in units.values()][:2]
    are_different = len(set(units) - {""}) > 1
    are_partly_without = len(set(units) - signs) > 1
    if are_different or are_partly_without:
        return f"in several units ({' and '.join(of_two)})"
    return f"written in several ways ({_two_ways(texts)})"


def _two_ways(texts: Sequence[str]) -> str:
    with_comma = next((text for text in texts if "," in text), texts[0])
    with_point = next((text for text in texts if "," not in text), texts[-1])
    return f"{with_comma!r} and {with_point!r}"


def _how_written(form: NumberForm) -> str:
    told = ["numbers"]
    if form.unit:
        told.append(f"without {form.unit!r}")
    if form.thousands:
        told.append(f"thousands marked by {form.thousands!r}")
    if form.decimal == ",":
        told.append("decimal commas")
    return ", ".join(told)


def written_cautions(
    called: str,
    texts: Sequence[str],
    form: NumberForm,
) -> tuple[str, ...]:
    """What the owner of a column should know of how its numbers were read.

    Args:
        called: what a line calls the column.
        texts: its numbers as they are written.
        form: in which they were read.
    """
    if form == NumberForm() and PLAIN.issuperset("".join(texts)):
        return ()
    bodies = {}
    limits = []
    for text in texts:
        found = Written.of(text)
        if found is not None:
            bodies[text] = found.body
            limits += [text] if found.limit else []
    told = []
    if limits:
        told.append(f"{called}: limits such as {limits[0]!r} are read as the number itself")
    if form.thousands and not any(form.decimal in body for body in bodies.values()):
        text = next(text for text, body in bodies.items() if form.thousands in body)
        number = form.numbers([text])[0]
        told.append(f"{called}: {text!r} is read as {number:.15g}")
    return tuple(told)
