"""What is said of a name that does not exist."""

from __future__ import annotations

from softshare.data.names import near


def test_near_names_are_told_else_all_of_them() -> None:
    assert near("Digit", ["digits", "wine"]) == "did you mean 'digits'?"
    assert near("q", ["digits", "wine"]) == "there are digits, wine"
    assert near("q", ["a", "b", "c"], most=2) == "there are a, b and 1 more"
