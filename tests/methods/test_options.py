"""Options that the user gives: read, and checked before anything runs."""

from __future__ import annotations

import math

import pytest

from softshare.methods.named import METHODS
from softshare.methods.options import Value, options_of_auto, read_options, wrong_options


def test_texts_are_numbers_where_a_number_keeps_all_of_them() -> None:
    texts = ["a.x=3", "a.y=0.5", "b.x=1e-3", "b.y=02", "b.z=cv", "a.z=x=y", "a.x=4", "b.v.w=1"]
    options, wrong = read_options(texts)
    assert wrong == []
    assert options == {
        "a": {"x": 4, "y": 0.5, "z": "x=y"},
        "b": {"x": 1e-3, "y": "02", "z": "cv", "v.w": 1},
    }
    assert type(options["a"]["x"]) is int


@pytest.mark.parametrize(
    "text", ["shared=cv", ".shared=cv", "tensor-ring.=cv", "tensor-ring.shared"]
)
def test_texts_of_another_form_are_told_with_the_form(text: str) -> None:
    options, wrong = read_options(["tensor-ring.ranks=3", text])
    assert options == {"tensor-ring": {"ranks": 3}}
    expected = f"expected METHOD.NAME=VALUE, such as tensor-ring.shared=cv, got {text!r}"
    assert wrong == [("options", expected)]


def test_arguments_of_auto_are_options_beside_those_given() -> None:
    given = {"auto": {"preset": "quick", "x": 1}, "tucker": {"ranks": 0.5}}
    assert options_of_auto(None, preset=None, time_limit=None) == {}
    assert options_of_auto(given, preset=None, time_limit=None) == given
    assert options_of_auto(None, preset=None, time_limit=3.0) == {"auto": {"time_limit": 3.0}}
    assert options_of_auto(given, preset="best", time_limit=None) == {
        "auto": {"preset": "best", "x": 1},
        "tucker": {"ranks": 0.5},
    }
    assert given["auto"] == {"preset": "quick", "x": 1}


@pytest.mark.parametrize(
    ("method", "option", "value"),
    [
        ("tensor-ring", "shared", "cv"),
        ("tensor-ring", "shared", "02"),
        ("tensor-ring", "shared", 2),
        ("tied-first-layers", "first", "cv"),
        ("tensor-train", "apart", 0.25),
        ("trace-norm-laf", "gamma", 1),
        ("shared-plus-own", "shrink", "cv"),
        ("shared-plus-own", "shrink", 0.3),
        ("tensor-normal-drn", "layers", "all"),
    ],
)
def test_what_an_option_can_be_is_taken(method: str, option: str, value: Value) -> None:
    assert wrong_options({method: {option: value}}, METHODS) == []


@pytest.mark.parametrize(
    ("method", "option", "value", "told"),
    [
        (
            "tensor-ring",
            "shared",
            0.5,
            "tensor-ring.shared must be a whole number or 'cv', such as 2",
        ),
        ("tensor-ring", "shared", "all", "must be a whole number or 'cv'"),
        (
            "tensor-ring",
            "ranks",
            2.5,
            "tensor-ring.ranks must be a whole number, such as 8, got 2.5",
        ),
        ("tensor-ring", "ranks", True, "must be a whole number, such as 8, got True"),
        ("tensor-train", "apart", "half", "must be a number, such as 0.0, got 'half'"),
        ("tensor-train", "apart", True, "must be a number, such as 0.0, got True"),
        ("tensor-train", "apart", math.inf, "must be a number, such as 0.0, got inf"),
        (
            "shared-plus-own",
            "shrink",
            True,
            "must be a number or text, such as 'learned', got True",
        ),
        ("tensor-normal-drn", "layers", 3, "must be text, such as 'last', got 3"),
        ("tensor-ring", "rank", 3, "tensor-ring: no option 'rank', did you mean ranks?"),
        ("ridge", "strength", 3, "ridge has no options, got 'strength'"),
        ("tensor-rin", "ranks", 3, "no method 'tensor-rin', did you mean tensor-ring"),
        ("?", "ranks", 3, "no method '?', choose from independent, pooled"),
    ],
)
def test_what_it_cannot_be_is_told_with_an_example(
    method: str, option: str, value: Value, told: str
) -> None:
    ((argument, phrase),) = wrong_options({method: {option: value}}, METHODS)
    assert argument == "options"
    assert told in phrase


def test_options_of_a_method_that_is_not_compared_and_several_faults_are_told() -> None:
    compared = [method for method in METHODS if method.name in ("tucker", "ridge")]
    given = {"tensor-ring": {"ranks": 3}, "tucker": {"ranks": 0.5, "apart": "x", "rank": 1}}
    phrases = [phrase for _, phrase in wrong_options(given, compared)]
    assert len(phrases) == 3
    assert phrases[0] == (
        "tensor-ring is not among the methods that are compared, name it in methods"
    )
    assert "tucker.apart" in phrases[1]
    assert "no option 'rank'" in phrases[2]
