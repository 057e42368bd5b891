"""Lists are there at once, and stand as they are."""

from __future__ import annotations

import io
import subprocess
import sys

from softshare.report.listing import PLAIN_WIDTH, console_on, show_line, show_methods


def test_methods_stand_in_columns():
    stream = io.StringIO()
    show_methods([("a", "nothing", "[1]"), ("long", "all", "x")], console_on(stream))
    assert stream.getvalue() == "a     nothing  [1]\nlong  all      x\n"


def test_a_line_that_looks_like_markup_is_left_alone():
    stream = io.StringIO()
    show_line(console_on(stream), "[bold]shop[/bold] " + "x" * PLAIN_WIDTH)
    assert stream.getvalue() == "[bold]shop[/bold] " + "x" * PLAIN_WIDTH + "\n"


def test_nothing_heavy_is_loaded_for_a_list():
    code = "import sys, softshare.report.listing as _; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(process.stdout.decode().split())
    assert not loaded & {"numpy", "pandas", "matplotlib", "sklearn", "scipy", "torch"}
