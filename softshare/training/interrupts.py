"""Ctrl-C kept back until it does no harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupt:
    """Whether Ctrl-C was pressed while it was kept back."""

    def __init__(self) -> None:
        self.came = False

    @contextmanager
    def kept_back(self) -> Iterator[None]:
        """While it lasts, the first Ctrl-C is noted only; a second one interrupts at once.

        Nothing changes where a program treats Ctrl-C in a way of its own, and in other threads than
        the first, which it never reaches.
        """
        here = threading.current_thread() is threading.main_thread()
        if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: Any) -> None:
        self.came = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
