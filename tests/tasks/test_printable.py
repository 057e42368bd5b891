"""No character of a name steers what shows it."""

from __future__ import annotations

import unicodedata

from softshare.tasks.arguments import ArgumentError
from softshare.tasks.printable import printable

STEERING = {"Cc", "Cs", "Zl", "Zp"}
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_what_steers_is_written_out_and_all_else_stays():
    for number in range(0x11000):
        character = chr(number)
        steers = unicodedata.category(character) in STEERING and character not in "\n\t"
        turns = unicodedata.bidirectional(character) in TURNING
        marks = character in "\u061c\u200e\u200f"
        shown = printable(character)
        assert (shown != character) == (steers or turns or marks), hex(number)
        if shown != character:
            assert shown.isascii()
            assert shown.isprintable()
    assert printable("naïve 東京 👩‍🔬 [red] \\x1b") == "naïve 東京 👩‍🔬 [red] \\x1b"
    assert printable("a\x1b[31m\rb\u202ec") == r"a\x1b[31m\rb\u202ec"


def test_an_error_shows_them_written_out():
    assert str(ArgumentError(("task", "no \x1b]0;title\x07"))) == r"task: no \x1b]0;title\x07"
