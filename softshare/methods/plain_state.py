"""Fitted values as states: what they hold, written down in numbers, texts and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

HELD_OUT = "held_out_"
"""What fits say of rows that they have not seen: as long as the data, and of no use to new rows."""

_PLAIN = (str, bool, int, float, type(None))


def state_of(value: Any) -> Any:
    """A fitted value as a state.

    Args:
        value: an estimator, a dataclass, an array of numbers, a plain value, or lists, tuples and
            mappings of these.

    Raises:
        TypeError: it holds something else, which could not be made again without code of its own.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return np.array(value)  # JSON has no word for it
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value
    if isinstance(value, list):
        return [state_of(part) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [state_of(part) for part in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[state_of(key), state_of(part)] for key, part in value.items()]}
    held = _held_by(value)
    if held is None:
        raise TypeError(f"a {type(value).__name__} cannot be kept as plain values")
    parts = {name: state_of(part) for name, part in held.items()}
    return {"kind": type(value).__name__, "of": parts}


def value_of(state: Any, kinds: Mapping[str, type]) -> Any:
    """The value that :func:`state_of` wrote down.

    Args:
        state: as it was written.
        kinds: the only estimators and dataclasses that it may hold, by their names.

    Raises:
        ValueError: it holds something else, or lacks something.
    """
    if isinstance(state, list):
        return [value_of(part, kinds) for part in state]
    if not isinstance(state, Mapping):
        is_number = isinstance(state, np.ndarray) and state.shape == ()
        return state.item() if is_number else state
    if set(state) == {"tuple"}:
        return tuple(value_of(part, kinds) for part in state["tuple"])
    if set(state) == {"mapping"}:
        return {value_of(key, kinds): value_of(part, kinds) for key, part in state["mapping"]}
    kind = kinds.get(state.get("kind", ""))
    if kind is None or not isinstance(state.get("of"), Mapping):
        raise ValueError(f"a state of one of {', '.join(kinds)} is needed, got {state.get('kind')}")
    held = {name: value_of(part, kinds) for name, part in state["of"].items()}
    return _made(kind, held)


def _held_by(value: Any) -> dict[str, Any] | None:
    """What makes up a dataclass or a fitted estimator, by name; None of anything else."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, BaseEstimator):
        return {name: part for name, part in vars(value).items() if name != HELD_OUT}
    return None


def _made(kind: type, held: Mapping[str, Any]) -> Any:
    if is_dataclass(kind):
        if set(held) != {field.name for field in fields(kind)}:
            raise ValueError(f"a {kind.__name__} does not hold {', '.join(held)}")
        return kind(**held)
    settings = {name: part for name, part in held.items() if not name.endswith("_")}
    try:
        estimator = kind(**settings)
    except TypeError:
        raise ValueError(f"a {kind.__name__} does not hold {', '.join(held)}") from None
    for name in held.keys() - settings.keys():
        if hasattr(kind, name):
            raise ValueError(f"a {kind.__name__} does not hold {name}")
        setattr(estimator, name, held[name])
    return estimator
