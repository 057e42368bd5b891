"""Pickles from strangers: arrays and plain containers come out, nothing is called."""

from __future__ import annotations

import os
import pickle
import struct
from collections import OrderedDict
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import attempt, damaged

from softshare.data.pickled import unpickled


def entries() -> dict[bytes, Any]:
    images = np.random.default_rng(0).integers(256, size=(4, 12), dtype=np.uint8)
    return {b"data": images, b"labels": [1, 2, 3, 4], b"filenames": [b"a.png", b"b.png"], b"batch_label": b"batch 1 of 5"}


@pytest.mark.parametrize("protocol", range(5))
def test_batches_of_all_protocols_are_read(protocol: int) -> None:
    found = unpickled(pickle.dumps(entries(), protocol=protocol))
    np.testing.assert_array_equal(found.pop(b"data"), entries().pop(b"data"))
    assert found == {name: value for name, value in entries().items() if name != b"data"}


@pytest.mark.parametrize(
    "array", [np.arange(6).reshape(2, 3), np.asfortranarray(np.ones((2, 3), ">f4")), np.array([], bool), np.arange(3, dtype="<i2")]
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
    with pytest.raises(ValueError, match=r"arrays and plain containers only, this one asks for \w+\.system"):
        unpickled(hostile)
    assert not list(tmp_path.iterdir())
    pickle.loads(hostile)
    assert list(tmp_path.iterdir()), "the pickle was harmless, so this test proves nothing"


@pytest.mark.parametrize(
    "value", [OrderedDict(), Fraction(1, 2), np.random.default_rng(), np.array([object()]), slice(1), np.ma.array([1])]
)
def test_other_objects_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"arrays and plain containers only|an array must hold numbers"):
        unpickled(pickle.dumps({b"a": value}, protocol=2))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps([1, 2]),
        b"\x80\x02}r" + struct.pack("<I", 0xFFFFFFF0) + b".",  # a memory place that would take 64 GB
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",  # a byte array of a terabyte
        b"\x80\x02}X\x01\x00\x00\x00aK\x01s",  # without an end
        b"\x80\x02(K\x01K\x02t.",
        b"Pid\n.",
        pickle.dumps({b"a": np.zeros(3)}, protocol=2).replace(b"f8", b"O8"),
        pickle.dumps({b"a": np.zeros(300, np.uint8)}, protocol=2).replace(struct.pack("<H", 300), struct.pack("<H", 301), 1),
    ],
    ids=range(10),
)  # fmt: skip
def test_broken_pickles_and_bombs_are_errors(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        unpickled(content)


def test_damaged_pickles_are_errors_or_plain_values() -> None:
    refused = 0
    for copy in damaged(pickle.dumps(entries(), protocol=2)):
        found, error = attempt(partial(unpickled, copy))
        refused += bool(error)
        assert error or all(
            isinstance(value, dict | list | tuple | str | bytes | int | float | np.ndarray | None) for value in found.values()
        )
    assert refused > 500
