"""``softshare methods``."""

from __future__ import annotations

import sys

from softshare.methods.named import METHODS
from softshare.report.listing import console_on, show_methods


def methods() -> int:
    """List the methods: name, what the tasks share, paper."""
    rows = [(method.name, method.shares, method.paper) for method in METHODS]
    show_methods(rows, console_on(sys.stdout))
    return 0
