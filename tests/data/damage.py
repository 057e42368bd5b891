"""Damaged copies of a file's content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def damaged(content: bytes, *, n: int = 1000, seed: int = 0) -> Iterator[bytes]:
    """``n`` contents that are not this one: bytes changed, ends cut, pieces removed, doubled or
    foreign.
    """
    random = np.random.default_rng(seed)
    given = 0
    while given < n:
        copy = bytearray(content)
        match random.integers(6):
            case 0 | 1:
                for place in random.integers(len(copy), size=random.integers(1, 9)):
                    copy[place] = random.integers(256)
            case 2:
                del copy[random.integers(len(copy)) :]
            case 3:
                begin = random.integers(len(copy))
                del copy[begin : begin + random.integers(1, 33)]
            case 4:
                begin = random.integers(len(copy))
                copy[begin:begin] = copy[begin : begin + random.integers(1, 33)]
            case _:
                copy = bytearray(random.bytes(random.integers(200)))
        if bytes(copy) != content:
            given += 1
            yield bytes(copy)


def attempt(read: Callable[[], Any]) -> tuple[Any, str]:
    """What is read, and the message of the error in place of it; any error but ValueError and
    OSError is a defect.
    """
    try:
        return read(), ""
    except (ValueError, OSError) as error:
        return None, str(error) or "an error without a word"


def check_damage(place: Path, read: Callable[[], Sequence[Any]], *, n: int = 1000) -> None:
    """Every damaged copy is an error that names the file, or is read as the whole one is; no other
    file comes or goes.
    """

    def others() -> set[Path]:
        home = place.parents[2]
        return {
            path
            for path in home.rglob("*")
            if path.is_file() and path.relative_to(home).parts[0] != "cache"
        }

    expected, before = read(), others()
    for copy in damaged(place.read_bytes(), n=n):
        place.write_bytes(copy)
        found, error = attempt(read)
        if error:
            assert error.startswith(f"{place}: ")
            assert error.count(str(place.parents[1])) == 1, "one file is named, and once"
        else:
            np.testing.assert_equal(
                [np.asarray(part) for part in found], [np.asarray(part) for part in expected]
            )
    assert others() == before
