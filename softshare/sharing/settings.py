"""The numbers among a sharing's settings."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from numbers import Integral, Real
from typing import Any


def take_numbers(settings: Any) -> None:
    """Make Python's of numbers of other kinds, such as NumPy's in a sweep: checks then ask for one
    kind of each.

    Args:
        settings: a dataclass, which may be frozen; it is changed in place.
    """
    for setting in fields(settings):
        object.__setattr__(
            settings,
            setting.name,
            _plain(getattr(settings, setting.name)),
        )


def is_number(value: object) -> bool:
    """Whether a setting is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
