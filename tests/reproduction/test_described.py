"""Digests of what values are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import pytest

from softshare.reproduction.described import described, digest_of


def double(value: float, *, times: int = 2) -> float:
    return times * value


@dataclass(frozen=True)
class Part:
    rate: float = 0.1
    names: tuple[str, ...] = ()
    note: str = field(default="", compare=False)


def test_a_value_is_told_by_names_and_by_what_differs_from_defaults():
    assert described(Part(names=("a",))) == {"Part": {"names": ["a"]}}
    assert described(Part()) == {"Part": {}}
    assert described(partial(double, times=3)) == {"partial": ["double", [], {"times": 3}]}
    assert described({1: None, "b": [True, 2.5]}) == {"1": None, "b": [True, 2.5]}


def test_digests_tell_values_apart_and_leave_out_what_is_not_compared():
    assert digest_of(Part(0.2)) != digest_of(Part())
    assert digest_of(Part(note="seen")) == digest_of(Part())
    assert digest_of(partial(double, times=3)) != digest_of(partial(double, times=4))


@pytest.mark.parametrize("value", [object(), lambda: 1])
def test_what_cannot_be_told_is_refused(value):
    with pytest.raises(TypeError, match="give a frozen dataclass or a function of a module"):
        described(value)
