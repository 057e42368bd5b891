"""A console that shows names as they are: neither as markup nor as what steers a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from softshare.tasks.printable import printable


class PlainConsole(Console):
    """A console for texts that hold names from data.

    Args:
        options: of :class:`rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        # in a task's name [red] and :smile: are text
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What is written, piece by piece; styles are no text yet."""
        for segment in super().render(renderable, options):
            # those that move the cursor come from the console itself
            yield segment if segment.control else segment._replace(text=printable(segment.text))
