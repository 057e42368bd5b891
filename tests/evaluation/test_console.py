"""A console shows names as they are."""

from __future__ import annotations

import io

import pytest
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from softshare.evaluation.console import PlainConsole

NAME = "[red]shop[/red] :smile: \x1b]0;title\x07\x1b[2J"
SHOWN = r"[red]shop[/red] :smile: \x1b]0;title"


@pytest.mark.parametrize("is_terminal", [False, True])
@pytest.mark.parametrize("kind", ["text", "styled", "table", "line"])
def test_names_steer_nothing(is_terminal, kind):
    stream = io.StringIO()
    console = PlainConsole(file=stream, force_terminal=is_terminal, width=120)
    shown = {"text": NAME, "styled": Text(NAME, style="bold"), "line": NAME}
    if kind == "table":
        table = Table(title=NAME)
        table.add_column(NAME)
        table.add_row(Text(NAME))
        shown["table"] = table
    console.print(shown[kind], soft_wrap=kind == "line")
    written = stream.getvalue()
    assert SHOWN in written
    assert "\x1b]" not in written
    assert "\x1b[2J" not in written
    assert "\x07" not in written


def test_a_bar_still_moves_the_cursor_and_its_text_does_not():
    stream = io.StringIO()
    console = PlainConsole(file=stream, force_terminal=True, width=120)
    columns = (TextColumn("{task.description}", markup=False), BarColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bars.add_task(NAME, total=1)
        bars.refresh()
    written = stream.getvalue()
    assert "\x1b[2K" in written  # the line is cleared at the end
    assert "\x1b]0" not in written
    assert SHOWN[:20] in written  # a bar has few columns for it
