"""A target column as it is learned, and what its owner should know of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from softshare.tasks.levels import Levels
from softshare.tasks.written_numbers import NumberForm


@dataclass(frozen=True)
class WrittenTarget:
    """How the numbers of a target were written, by which new labels are read too.

    Args:
        number: in which form.
        no_label: numbers that were read as no label, such as -999.
    """

    number: NumberForm
    no_label: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class TargetReading:
    """A target column as it is learned.

    Args:
        values: numbers, or pandas categories of which the last of two is the positive class;
            missing where there is no label.
        why: how it was read, in a few words.
        notes: what its owner should know.
        written: how its numbers were written; None where it holds classes.
    """

    values: pd.Series
    why: str
    notes: tuple[str, ...] = ()
    written: WrittenTarget | None = None


def missing_notes(name: str, levels: Levels, absent: np.ndarray) -> tuple[str, ...]:
    """A line where texts are read as no label."""
    if not absent.any():
        return ()
    written = ", ".join(repr(str(text)) for text in levels.values[absent][:5])
    n_rows = int(levels.counts[absent].sum())
    return (f"target {name!r}: {n_rows:,} row(s) say {written}, read as no label (na)",)
