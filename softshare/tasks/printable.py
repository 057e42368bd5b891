"""Texts from data, made fit to be shown.

Names of tasks, columns and files come from whoever made the data. Shown as they stand, an escape
character among them can move the cursor, change the window's title or hide what follows, and one
that turns the direction of writing can make a line say something else.
"""

from __future__ import annotations

import re

_STEERING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # all that controls a terminal, but line breaks and tabs
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turns the direction of writing
    "\u2028\u2029"  # breaks lines for some readers
    "\ud800-\udfff"  # no text: a byte of a file's name that is not UTF-8
    "]"
)


def printable(text: str) -> str:
    r"""The text with every character that would steer what shows it written out, as ``\x1b``."""
    return _STEERING.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    return ascii(found.group())[1:-1]
