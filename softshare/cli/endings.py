"""Signals that ask the command to end: it ends, and leaves nothing half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ASKING = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP")  # not every system has both
    if hasattr(signal, name)
]


class AskedToEndError(BaseException):
    """Somebody asked this process to end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.code = 128 + number


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Have signals that ask this process to end raised as exceptions while the context is open.

    What is open is then closed, and what is temporary removed. Signals that are ignored, as by
    ``nohup``, stay so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ASKING}
    ours = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise AskedToEndError(number)
