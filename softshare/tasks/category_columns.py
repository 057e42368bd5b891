"""A column of categories: which are one, which name rows or persons, and how many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from softshare.tasks import code_like, missing
from softshare.tasks.asking import Asking
from softshare.tasks.levels import Levels
from softshare.tasks.reading import Reading

MOST_ONE_HOT = 50
"""A column of more categories gets the encoding for many."""


def as_category(
    name: str, levels: Levels, asking: Asking, why: str, *, asked: bool = False
) -> Reading:
    """The reading of a column as categories, left out where they name rows or persons."""
    words = asking.missing(missing.ALWAYS)
    texts = levels.texts
    absent = missing.mask_of(texts, words)
    known = [text for text, is_absent in zip(texts, absent, strict=True) if not is_absent]
    counts = levels.counts[~absent]
    told = tuple(sorted({text.lower() for text, gone in zip(texts, absent, strict=True) if gone}))
    if not known:
        return replace(as_empty(name), missing=told)
    same = {} if asked else spellings(known, counts)
    cautions = []
    if same:
        pairs = list(same.items())[:3]
        variants = ", ".join(f"{text!r} as {one!r}" for text, one in pairs)
        cautions.append(f"column {name!r}: spellings read as one: {variants}")
    found = None if asked else code_like.of_texts(name, known, counts)
    if found is not None and found.verdict == "persons":
        return replace(as_persons(name, found.why), n_values=len(known))
    if found is not None:
        note = f"column {name!r}: {found.why}, left out; columns {name}=category uses it"
        return Reading(name, "left out", found.why, n_values=len(known), cautions=(note,))
    n_values = len(known) - len(same)
    if code_like.is_id_name(name) and n_values > code_like.MANY_TEXTS:
        cautions.append(
            f"column {name!r}: rows of one may train and test; group {name} keeps them together"
        )
    return Reading(
        name,
        "many" if n_values > MOST_ONE_HOT else "category",
        why,
        n_values=n_values,
        missing=told,
        same=same,
        cautions=tuple(cautions),
    )


def as_persons(name: str, why: str) -> Reading:
    """A column that names persons or things: left out, and said what keeps them together."""
    told = (
        f"column {name!r}: {why} look like persons or things that come again, left out; rows of "
        f"one may train and test: keep them together (group {name}), or use it (columns "
        f"{name}=category)"
    )
    return Reading(name, "left out", why, cautions=(told,))


def as_empty(name: str) -> Reading:
    """A column in which nothing stands."""
    return Reading(name, "left out", "empty", cautions=(f"column {name!r}: empty, left out",))


def spellings(texts: Sequence[str], counts: np.ndarray) -> dict[str, str]:
    """Texts that differ from a more frequent one in capitals alone, and that one."""
    by_folded: defaultdict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        by_folded[text.casefold()].append(place)
    same = {}
    for places in by_folded.values():
        if len(places) > 1:
            chosen = max(places, key=lambda place: (counts[place], texts[place]))
            same.update({texts[place]: texts[chosen] for place in places if place != chosen})
    return same
