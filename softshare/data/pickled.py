"""Reading pickled arrays without running anything that a pickle asks for.

A pickle is a small program that can call any function. Distribution files such as the batches of
CIFAR-10 need dictionaries, lists, numbers, text and arrays only; steps for anything else are
refused before the first one is run, and what remains can neither change what is outside nor work
without end.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

_NOT_NEEDED = {
    *("PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"),
    *("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"),
    *("BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER"),
    *("EMPTY_SET", "ADDITEMS", "FROZENSET"),
}
"""Steps that call classes, fetch what is not in the file, or hash what they find."""


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
        if (
            not isinstance(kind, _DataType)
            or np.dtype(kind.code).kind not in "biuf"
            or not isinstance(content, bytes)
        ):
            raise ValueError("an array must hold numbers")
        if not isinstance(shape, tuple) or any(type(size) is not int for size in shape):
            raise ValueError("the shape of an array must be whole numbers")
        kind_of_number = np.dtype(kind.code if kind.order in "|=" else kind.order + kind.code)
        if math.prod(shape) * kind_of_number.itemsize != len(content):
            raise ValueError(f"an array of shape {shape} has {len(content)} bytes")
        return np.frombuffer(content, kind_of_number).reshape(
            shape, order="F" if columns_first else "C"
        )


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Stands for ``_codecs.encode``, by which old protocols write bytes as text."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes must be encoded as latin1")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stands for ``bytes``, which old protocols call for an empty value (with a number it would
    make as many).
    """
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


def _check_target(stack: list[Any]) -> None:
    """A state can set attributes: nothing may be changed but an array that is being made."""
    if not isinstance(stack[-2], _Array | _DataType):
        raise ValueError("a pickled file may give a state to arrays only")


def _check_keys(keys: list[Any]) -> None:
    """Keys are hashed: that of sixty tuples, each twice in the next, takes forever."""
    if not all(type(key) in (str, bytes) for key in keys):
        raise ValueError("the keys of a pickled dictionary must be text")


def _guarded(code: bytes, check: Callable[[list[Any]], None]) -> dict[int, Callable[[Any], None]]:
    """The reader's step with this code, made after a look at the values that it finds."""
    usual = pickle._Unpickler.dispatch[code[0]]

    def step(reader: Any) -> None:
        check(reader.stack)
        usual(reader)

    return {code[0]: step}


class _Reader(pickle._Unpickler):
    """The reader that is written in Python, as its steps can be guarded."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **pickle._Unpickler.dispatch,
        **_guarded(pickle.BUILD, _check_target),
        **_guarded(pickle.SETITEM, lambda stack: _check_keys(stack[-2:-1])),
        **_guarded(pickle.SETITEMS, lambda stack: _check_keys(stack[::2])),
        **_guarded(pickle.DICT, lambda stack: _check_keys(stack[::2])),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise ValueError(
                "a pickled file may hold arrays and plain containers only, this one asks "
                f"for {module}.{name}"
            )
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
            raise ValueError(
                f"a pickled file must hold a dictionary, this one holds {type(found).__name__}"
            )
        return {
            name.encode() if isinstance(name, str) else name: value.array()
            if isinstance(value, _Array)
            else value
            for name, value in found.items()
        }
    except ValueError:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise ValueError(f"not a readable pickle ({error})") from None


def _check_steps(content: bytes) -> None:
    for step, _, _ in pickletools.genops(content):
        if step.name in _NOT_NEEDED:
            raise ValueError(
                "a pickled file may hold arrays and plain containers only, this one has "
                f"the step {step.name}"
            )


def _text(value: str | bytes) -> str:
    if not isinstance(value, str | bytes):
        raise ValueError("the kind of an array's numbers must be text")
    return value.decode("ascii") if isinstance(value, bytes) else value
