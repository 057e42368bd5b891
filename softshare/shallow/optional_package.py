"""A package that is used where it is installed and works, and not missed where it is not."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def optional_package(name: str) -> ModuleType | None:
    """A package, or None where it cannot be imported.

    Not every package that lies there can be used: a library of the system may be missing, or
    ``python -OO`` may have taken the docstrings that it reads.
    """
    try:
        return import_module(name)
    except MemoryError:
        raise
    except Exception:
        return None
