"""Pickles from strangers: arrays and plain containers come out, nothing is called."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import struct
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softshare.data import pickled
from softshare.data.pickled import unpickled
from tests.data.damage import attempt, damaged


def entries() -> dict[bytes, Any]:
    images = np.random.default_rng(0).integers(256, size=(4, 12), dtype=np.uint8)
    return {
        b"data": images,
        b"labels": [1, 2, 3, 4],
        b"filenames": [b"a.png", b"b.png"],
        b"batch_label": b"batch 1 of 5",
    }


@pytest.mark.parametrize("protocol", range(5))
def test_batches_of_all_protocols_are_read(protocol: int) -> None:
    found = unpickled(pickle.dumps(entries(), protocol=protocol))
    np.testing.assert_array_equal(found.pop(b"data"), entries().pop(b"data"))
    assert found == {name: value for name, value in entries().items() if name != b"data"}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.ones((2, 3), ">f4")),
        np.array([], bool),
        np.arange(3, dtype="<i2"),
    ],
)
def test_arrays_of_numbers_come_back(array: np.ndarray) -> None:
    found = unpickled(pickle.dumps({"a": array}, protocol=2))[b"a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


class Hostile:
    """Runs a command when it is unpickled by the standard reader."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.witness}",)


@pytest.mark.parametrize("protocol", range(5))
def test_nothing_is_called(tmp_path: Path, protocol: int) -> None:
    hostile = pickle.dumps({b"data": Hostile(tmp_path / "witness")}, protocol=protocol)
    with pytest.raises(
        ValueError, match=r"arrays and plain containers only, this one asks for \w+\.system"
    ):
        unpickled(hostile)
    assert not list(tmp_path.iterdir())
    pickle.loads(hostile)
    assert list(tmp_path.iterdir()), "the pickle was harmless, so this test proves nothing"


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(),
        Fraction(1, 2),
        np.random.default_rng(),
        np.array([object()]),
        slice(1),
        np.ma.array([1]),
    ],
)
def test_other_objects_are_refused(value: object) -> None:
    with pytest.raises(
        ValueError, match=r"arrays and plain containers only|an array must hold numbers"
    ):
        unpickled(pickle.dumps({b"a": value}, protocol=2))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps([1, 2]),
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",  # a byte array of a terabyte
        b"\x80\x02}X\x01\x00\x00\x00aK\x01s",  # without an end
        b"\x80\x02(K\x01K\x02t.",
        b"Pid\n.",
        pickle.dumps({b"a": np.zeros(3)}, protocol=2).replace(b"f8", b"O8"),
        pickle.dumps({b"a": np.zeros(300, np.uint8)}, protocol=2).replace(
            struct.pack("<H", 300), struct.pack("<H", 301), 1
        ),
    ],
    ids=range(9),
)  # fmt: skip
def test_broken_pickles_and_bombs_are_errors(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        unpickled(content)


NESTED = b"(K\x01t" + b"2\x86" * 60  # a tuple, sixty times a pair of the one before


@pytest.fixture(scope="module")
def process() -> Iterator[Pool]:
    """One apart from this, where what hangs in C cannot be interrupted."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield pool


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02}" + NESTED + b"K\x01s.",
        b"\x80\x02}(" + NESTED + b"K\x01u.",
        b"\x80\x02(" + NESTED + b"K\x01d.",
        b"\x80\x04\x8f(" + NESTED + b"\x90.",
        b"\x80\x04(" + NESTED + b"\x91.",
        b"\x80\x02c_codecs\nencode\n(X\x01\0\0\0a" + NESTED + b"tR.",
        b"\x80\x02cnumpy\ndtype\n(" + NESTED + b"tR.",
    ],
    ids=["setitem", "setitems", "dict", "set", "frozenset", "encoding", "data type"],
)
def test_nested_tuples_do_not_take_forever(content: bytes, process: Pool) -> None:
    asked = process.apply_async(attempt, (partial(unpickled, content),))
    _, error = asked.get(timeout=600)
    assert error


def test_an_array_whose_shape_repeats_a_list_is_refused() -> None:
    whole = pickle.dumps({b"a": np.zeros(2, np.uint8)}, protocol=2)
    hostile = whole.replace(b"K\x02\x85", b"J\xff\xff\xff\x7f](K\x00e\x86")
    assert hostile != whole
    with pytest.raises(ValueError, match="shape of an array must be whole numbers"):
        unpickled(hostile)


@pytest.mark.parametrize(
    "name", [b"_codecs\nencode", b"builtins\nbytes", b"numpy\ndtype", b"numpy\nndarray"]
)
@pytest.mark.parametrize("state", [b"(N}X\x0c\0\0\0__defaults__)st", b"}X\x04\0\0\0evil)s"])
def test_a_state_changes_no_function_or_class(name: bytes, state: bytes) -> None:
    def all_there_is() -> list[Any]:
        return [
            (vars(value).copy(), getattr(value, "__defaults__", None))
            for value in pickled._ADMITTED.values()
        ]

    before = all_there_is()
    with pytest.raises(ValueError, match="may give a state to arrays only"):
        unpickled(b"\x80\x02c" + name + b"\n" + state + b"b.")
    assert all_there_is() == before


def test_a_vast_memory_place_takes_no_memory() -> None:
    assert unpickled(b"\x80\x02}r" + struct.pack("<I", 0xFFFFFFF0) + b".") == {}


def test_damaged_pickles_are_errors_or_plain_values() -> None:
    refused = 0
    for copy in damaged(pickle.dumps(entries(), protocol=2)):
        found, error = attempt(partial(unpickled, copy))
        refused += bool(error)
        assert error or all(
            isinstance(value, dict | list | tuple | str | bytes | int | float | np.ndarray | None)
            for value in found.values()
        )
    assert refused > 500
