"""What ``softshare look`` does: it reads the data, and shows what was understood."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from softshare.cli.compare import Data
from softshare.cli.reading import read
from softshare.report.listing import console_on
from softshare.report.look import show_look


def run(source: str, data: Data, *, wrong: Sequence[str] = ()) -> int:
    """Show what was understood; see :func:`softshare.cli.look.look`.

    Returns:
        The exit code.

    Raises:
        ValueError: something cannot be right; the message names all of it, by flags.
    """
    tasks = read(source, data, wrong, fractions=(1.0,))
    show_look(tasks.look(), console_on(sys.stdout))
    return 0
