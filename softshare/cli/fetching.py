"""What ``softshare data`` does: it reads the public sets' descriptions, which takes a moment."""

from __future__ import annotations

import sys

from softshare.data.load import public_set, public_sets
from softshare.data.terminal import fetch, show_sets
from softshare.report.listing import console_on


def show_all() -> None:
    """A line for every public data set."""
    show_sets(public_sets().values(), console_on(sys.stdout))


def get(name: str) -> None:
    """Download one.

    Raises:
        ValueError: there is no such set.
        OSError: it could not be downloaded.
    """
    fetch(public_set(name), console_on(sys.stderr))
