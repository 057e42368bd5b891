"""Numbers among settings: Python's own, whatever kind was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from softshare.sharing.settings import is_number, take_numbers


@dataclass(frozen=True)
class Setting:
    value: object


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        ((np.int32(1), 2.0), (1, 2.0)),
        (True, True),
        ("4431", "4431"),
        (None, None),
    ],
)
def test_numbers_become_pythons(given: object, expected: object) -> None:
    setting = Setting(given)
    take_numbers(setting)
    assert setting.value == expected
    assert type(setting.value) is type(expected)


def test_what_is_a_number() -> None:
    assert is_number(1)
    assert is_number(0.5)
    assert not any(map(is_number, (True, float("nan"), float("inf"), "1", None)))
