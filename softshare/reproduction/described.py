"""A digest of what a value is made of, by which a record is known to be of this very recipe.

It goes by names of classes and functions and by the fields that differ from their defaults, so that
neither a new field with a default nor a function that moves to another module changes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from typing import Any


def described(value: Any) -> Any:
    """What a value is made of, as plain JSON values.

    Raises:
        TypeError: nothing tells what it is made of; give a frozen dataclass, a function of a
            module, or plain values.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): described(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [described(item) for item in value]
    if isinstance(value, partial):
        called = [described(value.func), described(value.args), described(value.keywords)]
        return {"partial": called}
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: _own_fields(value)}
    name = getattr(value, "__qualname__", None)
    if name is None or "<lambda>" in name:
        remedy = "give a frozen dataclass or a function of a module"
        raise TypeError(f"nothing tells what {value!r} is made of; {remedy}")
    return name


def digest_of(value: Any) -> str:
    """A short text that is equal for values that are made of the same."""
    text = json.dumps(described(value), sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _own_fields(value: Any) -> dict[str, Any]:
    """The fields that are compared and differ from their defaults."""
    own = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if field.compare and not _is_default(field, content):
            own[field.name] = described(content)
    return own


def _is_default(
    field: Field[Any],
    content: Any,
) -> bool:
    default = field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    return default is not MISSING and described(default) == described(content)
