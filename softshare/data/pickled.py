"""Reading pickled arrays without running anything that a pickle asks for.

A pickle is a small program that can call any function. Distribution files such as the batches of CIFAR-10 need
dictionaries, lists, numbers, text and arrays only; everything else is refused before the first step is run.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from typing import Any

import numpy as np

_NOT_NEEDED = {
    *("PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"),
    *("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"),
    *("BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER"),
}
"""Steps that call classes, or fetch what is not in the file."""


class _ArrayType:
    """Stands for the class ``numpy.ndarray`` where a pickle names it."""


class _DataType:
    """Stands for ``numpy.dtype``: the code that it was made of, and its byte order."""

    def __init__(self, code: str | bytes, *_: Any) -> None:
        self.code = _text(code)
        self.order = "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = _text(state[1])


class _Array:
    """Stands for an array until all of its state has been read."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        _, shape, kind, columns_first, content = self.state
        if not isinstance(kind, _DataType) or np.dtype(kind.code).kind not in "biuf" or not isinstance(content, bytes):
            raise ValueError("an array must hold numbers")
        kind_of_number = np.dtype(kind.code if kind.order in "|=" else kind.order + kind.code)
        if math.prod(shape) * kind_of_number.itemsize != len(content):
            raise ValueError(f"an array of shape {shape} has {len(content)} bytes")
        return np.frombuffer(content, kind_of_number).reshape(shape, order="F" if columns_first else "C")


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Stands for ``_codecs.encode``, by which old protocols write bytes as text."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes are not encoded as {encoding!r}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stands for ``bytes``, which old protocols call for an empty value (with a number it would make as many)."""
    return b""


_ADMITTED: dict[tuple[str, str], Any] = {
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    ("_codecs", "encode"): _encoded,
    ("numpy", "dtype"): _DataType,
    ("numpy", "ndarray"): _ArrayType,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise ValueError(f"a pickled file may hold arrays and plain containers only, this one asks for {module}.{name}")
        return _ADMITTED[module, name]


def unpickled(content: bytes) -> dict[bytes, Any]:
    """The entries of a pickled dictionary of arrays, lists, numbers and text; keys are bytes.

    Raises:
        ValueError: it is not a pickle of such a dictionary.
    """
    try:
        _check_steps(content)
        found = _Reader(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(found, dict):
            raise ValueError(f"a pickled file must hold a dictionary, this one holds {type(found).__name__}")
        return {_key(name): value.array() if isinstance(value, _Array) else value for name, value in found.items()}
    except ValueError:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise ValueError(f"not a readable pickle ({error})") from None


def _check_steps(content: bytes) -> None:
    """Refuse steps that are not needed, and memory places far beyond the number of things to remember."""
    for number, (step, argument, _) in enumerate(pickletools.genops(content)):
        if step.name in _NOT_NEEDED:
            raise ValueError(f"a pickled file may hold arrays and plain containers only, this one has the step {step.name}")
        if "PUT" in step.name and int(argument or 0) > number:
            raise ValueError(f"step {number} puts its value in the place {argument}")


def _key(name: Any) -> bytes:
    return name.encode() if isinstance(name, str) else bytes(name) if isinstance(name, bytes) else repr(name).encode()


def _text(value: str | bytes) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value
