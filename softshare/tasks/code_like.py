"""Columns that name rows, persons or things, instead of measuring them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

ROWS_OF_A_PERSON = 20
"""A name that comes more often tells enough of whom it names to be learnt."""

MANY_TEXTS = 20
ROWS_A_TEXT = 1.5
"""A column of more texts than this, each in fewer rows, has nothing that comes again."""

MANY_NUMBERS = 400
"""So many whole numbers, nearly all from 0 or 1 on, are a list: more than the days of a year."""

FEW_ROWS = 50
"""Of a shorter table nothing is said."""

_ID_WORDS = "id ids uid uuid guid idx index row rowid rownum unnamed"
ID_WORDS = frozenset(_ID_WORDS.split())
_CODE_WORDS = "zip zipcode postcode plz postalcode code codes mrn ssn isbn ean sku barcode phone"
CODE_WORDS = frozenset(_CODE_WORDS.split())
_PERSON_WORDS = (
    "patient patients person subject participant customer client user student pupil child "
    "member employee respondent owner household case donor animal device account proband "
    "kunde patientin schüler"
)
PERSON_WORDS = frozenset(_PERSON_WORDS.split())
_NUMBERED_WORDS = "no nr num number key"
NUMBERED_WORDS = frozenset(_NUMBERED_WORDS.split())
_NO_ID = ("covid", "fluid", "acid", "valid", "paid", "grid", "humid", "solid", "void", "mid", "bid")
_NUMBERED = re.compile(r"[^\W\d]{0,8}[-_ ]?\d{2,}")

Verdict = Literal["rows", "persons", "codes", "perhaps"]
"""A name of its own for every row; of persons or things seen some times; of groups; or perhaps."""


@dataclass(frozen=True)
class CodeLike:
    """What a column names, and by what it is told.

    Args:
        verdict: what it names.
        why: in a few words.
    """

    verdict: Verdict
    why: str


def words_of(name: str) -> list[str]:
    """The words of a column's name in lower case: of ``patient_id``, ``patientId``."""
    parted = re.sub(r"(?<=[a-zäöüß])(?=[A-Z])", " ", name)
    return re.sub(r"[\W_]+", " ", parted).lower().split()


def is_id_name(name: str) -> bool:
    """Whether a name says that its column identifies something."""
    words = words_of(name)
    if not words:
        return False
    last = next((word for word in reversed(words) if not word.isdigit()), words[-1])
    if last in ID_WORDS | PERSON_WORDS or words[0] == "id":
        return True
    return len(last) > 3 and last.endswith("id") and not last.endswith(_NO_ID)


def is_code_name(name: str) -> bool:
    """Whether a name says that its column holds codes."""
    words = words_of(name)
    return bool(words) and words[-1] in CODE_WORDS


def of_numbers(
    name: str,
    values: np.ndarray,
    codes: np.ndarray,
) -> CodeLike | None:
    """What numbers name, or None where they may measure something.

    Args:
        name: of the column.
        values: its different values, NaN where missing.
        codes: the place of each row's value, -1 where there is none.
    """
    known = values[np.isfinite(values)]
    rows = codes[codes >= 0]
    n_rows = int(np.isfinite(values)[rows].sum())
    is_whole = len(known) > 0 and bool((known == np.floor(known)).all())
    if not is_whole or n_rows < FEW_ROWS:
        return None
    named = is_id_name(name)
    if len(known) == n_rows:
        return _of_a_number_a_row(
            name,
            known,
            values[rows],
            named=named,
        )
    if is_code_name(name):
        return CodeLike("codes", "its name says that they are codes")
    if not named:
        return _of_every_number(known)
    if n_rows / len(known) <= ROWS_OF_A_PERSON and len(known) > MANY_TEXTS:
        often = n_rows / len(known)
        return CodeLike("persons", f"{len(known):,} numbers of about {often:.3g} rows each")
    return CodeLike("codes", "its name says that they are codes")


def _of_every_number(known: np.ndarray) -> CodeLike | None:
    """Whether whole numbers come from a list: nearly all from the first on, and many."""
    first, last = known.min(), known.max()
    is_list = first in (0, 1) and len(known) >= 0.95 * (last - first + 1)
    if len(known) < MANY_NUMBERS or not is_list:
        return None
    return CodeLike("perhaps", f"nearly every whole number from {first:.0f} to {last:.0f}")


def _of_a_number_a_row(
    name: str,
    known: np.ndarray,
    in_order: np.ndarray,
    *,
    named: bool,
) -> CodeLike | None:
    steps = np.diff(in_order[np.isfinite(in_order)])
    if np.ptp(known) == len(known) - 1:
        return CodeLike("rows", f"a running number, from {known.min():.0f} to {known.max():.0f}")
    is_numbered = words_of(name)[-1:] in [[word] for word in NUMBERED_WORDS]
    if named or is_numbered or is_code_name(name):
        return CodeLike("rows", "another number in every row")
    if (steps > 0).all() or (steps < 0).all():
        return CodeLike("rows", "another number in every row, in the order of the rows")
    is_long = np.abs(known).min() >= 10_000
    return CodeLike("perhaps", "another whole number in every row") if is_long else None


def of_texts(
    name: str,
    texts: Sequence[str],
    counts: np.ndarray,
) -> CodeLike | None:
    """What texts name, or None where they may say something.

    Args:
        name: of the column.
        texts: its different ones.
        counts: the rows of each.
    """
    n_rows = int(counts.sum())
    often = n_rows / max(1, len(texts))
    if len(texts) <= MANY_TEXTS:
        return None
    if often < ROWS_A_TEXT:
        return CodeLike("rows", _why_rare(texts, n_rows))
    shapes = Counter(_shape(text) for text in texts)
    is_numbered = len(shapes) <= 3 and all(_NUMBERED.fullmatch(text) for text in texts)
    if (is_id_name(name) or (is_numbered and len(texts) > 50)) and often <= ROWS_OF_A_PERSON:
        return CodeLike("persons", f"{len(texts):,} texts of about {often:.3g} rows each")
    return None


def _why_rare(texts: Sequence[str], n_rows: int) -> str:
    words = np.mean([len(text.split()) for text in texts])
    what = "free text" if words >= 4 else "nothing that comes again"
    return f"{what}: {len(texts):,} different texts in {n_rows:,} rows"


def _shape(text: str) -> str:
    """A text with its digits and letters made one: ``P0069`` → ``a0``."""
    return re.sub(r"[^\W\d]+", "a", re.sub(r"\d+", "0", text))
