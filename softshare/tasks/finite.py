"""Numbers that can be inputs: single precision must hold their squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LARGEST = 1e18
"""Inputs beyond this count as infinite: single precision could not hold their squares."""


def check_finite(
    values: np.ndarray,
    names: Sequence[str],
) -> None:
    """Refuse infinite inputs.

    Raises:
        ValueError: names the first column that has some, and how many.
    """
    infinite = (np.abs(values) > LARGEST).sum(axis=0)
    if infinite.any():
        first = int((infinite > 0).argmax())
        raise ValueError(
            f"column {names[first]!r} has {infinite[first]} infinite value(s); inputs must "
            f"be missing or within ±{LARGEST:g}"
        )
